"""Sentences that translate each other: languages, bitexts, the corpora they come from."""

from typing import TYPE_CHECKING

from .lazy_names import exports

if TYPE_CHECKING:
    from .bitext import Bitext as Bitext
    from .bitext import Context as Context
    from .bitext import Sentence as Sentence
    from .bitext import Side as Side
    from .bitext import join as join
    from .corpora import CORPORA as CORPORA
    from .corpora import Corpus as Corpus
    from .corpora import load as load
    from .gold import AnyBitext as AnyBitext
    from .gold import GoldBitext as GoldBitext
    from .languages import standard_tag as standard_tag
    from .surface import surface_vectors as surface_vectors

__getattr__, __dir__ = exports(
    __name__,
    {
        **dict.fromkeys(("Bitext", "Context", "Sentence", "Side", "join"), ".bitext"),
        **dict.fromkeys(("CORPORA", "Corpus", "load"), ".corpora"),
        **dict.fromkeys(("AnyBitext", "GoldBitext"), ".gold"),
        "standard_tag": ".languages",
        "surface_vectors": ".surface",
    },
)
