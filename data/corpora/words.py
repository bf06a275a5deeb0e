"""XLing-Eval's bilingual lexicons, `yacle.test.freq.2k.en-de.tsv`: English word, tab, translation.

Here English is the target, as in every corpus: their P@1 from English is our `backward`.
"""

from pathlib import Path

from ..gold import GoldBitext, read_lexicon
from .reader import ManyToMany

PIVOT = "en"


def codes(root: Path, split: str) -> list[str]:
    """Return the codes of the languages in a folder, English last."""
    found = sorted({path.stem.rpartition("-")[2] for path in _files(root, split, "*")})
    if not found:
        raise OSError(f"{root}: no yacle.{split}.freq.*.en-XX.tsv files there")
    return [*found, PIVOT]


def read_pairs(root: Path, split: str, code: str, limit: int | None) -> GoldBitext:
    """Return the lexicon of a language and English: the largest where there are several."""
    path = max(_files(root, split, code), key=lambda path: (path.stat().st_size, path.name))
    return read_lexicon(
        path,
        source_language=code,
        target_language=PIVOT,
        corpus="words",
        split=split,
        swapped=True,
        limit=limit,
    )


def _files(root: Path, split: str, code: str) -> list[Path]:
    """Return the lexicons with a language, in the folder or in upstream's `bli_datasets/en-xx`."""
    name = f"yacle.{split}.freq.*.en-{code}.tsv"
    return [path for at in ("", "*/", "bli_datasets/*/") for path in root.glob(at + name)]


READER = ManyToMany(codes, read_pairs)
