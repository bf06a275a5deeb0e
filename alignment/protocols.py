"""Protocols: what other tools do under one name, as far as it decides a number.

Layers are hidden states: 0 = embeddings, i = output of block i. Codes that count otherwise are converted
(XTREME's index 7 leaves the embeddings out: hidden state 8). In mining the threshold is always chosen
and judged on different sentences here, whatever the tool does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from ..data.rows import Columns

ALL = "all"
LAST = "last"


@dataclass(frozen=True)
class RetrievalProtocol:
    """How a tool scores retrieval. The source is the foreign language, the target English."""

    name: str
    poolings: tuple[str, ...]  # all of them are scored; native where the folder has its own pooling
    layers: str | Mapping[int, int]  # of every model; or by its number of blocks
    measures: str
    directions: tuple[str, ...]  # forward = foreign sentences query the English ones
    max_length: int | None  # tokens; None: the model's own
    limit: int | None  # sentences of a bitext
    stage: str  # of the checkpoint it is meant for
    differs: str
    source: str
    maps: str = "none"  # fitted in sample
    duplicates: str = "index"
    unit: str = "sentence"

    def layer(self, blocks: int) -> str:
        """Return the layers to score, as `layers` takes them.

        Raises:
            ValueError: the protocol says nothing of models with this many blocks.
        """
        if isinstance(self.layers, str):
            return self.layers
        if blocks not in self.layers:
            known = ", ".join(map(str, self.layers))
            raise ValueError(
                f"protocol {self.name} names a layer for models of {known} layers; this one has {blocks}"
            )
        return str(self.layers[blocks])

    @property
    def settings(self) -> Columns:
        """The settings of `score` that it decides."""
        fit = "" if self.maps == "none" else "in-sample"
        return {
            "measures": self.measures,
            "maps": self.maps,
            "map_fit": fit,
            "duplicates": self.duplicates,
            **({} if self.limit is None else {"limit": self.limit}),
        }


_XTREME = (
    "scripts lose their file names and give XLM-R base the layer of large; there predictions of one "
    "direction only are scored. Of 36 and 48 layers nothing is said: the depth of 14 in 24 is taken"
)
PROTOCOLS: Mapping[str, RetrievalProtocol] = {
    protocol.name: protocol
    for protocol in (
        RetrievalProtocol(
            "laser",
            poolings=("native",),
            layers=LAST,
            measures="accuracy",
            directions=("mean",),
            max_length=None,
            limit=None,
            stage="any",
            differs="there an error rate, 1 - accuracy, of its own encoder (max pooling)",
            source="Artetxe & Schwenk 2019, https://github.com/facebookresearch/LASER similarity search",
        ),
        RetrievalProtocol(
            "xtreme",
            poolings=("mean",),
            layers={12: 8, 24: 14, 36: 21, 48: 28},
            measures="accuracy",
            directions=("backward",),
            max_length=512,
            limit=None,
            stage="pretrained",
            differs=_XTREME,
            source="Hu et al. 2020, https://github.com/google-research/xtreme run_tatoeba.sh",
        ),
        RetrievalProtocol(
            "xtreme-r",
            poolings=("mean",),
            layers={12: 8, 24: 14, 36: 21, 48: 28},
            measures="accuracy",
            directions=("backward",),
            max_length=512,
            limit=None,
            stage="target",  # after English SQuAD 1.1
            differs="as xtreme, but of a checkpoint that was fine-tuned on English SQuAD 1.1",
            source="Ruder et al. 2021, https://github.com/google-research/xtreme run_tatoeba.sh",
        ),
        RetrievalProtocol(
            "jiant",
            poolings=("mean",),
            layers={24: 14, 36: 14, 48: 14},
            measures="accuracy",
            directions=("backward",),
            max_length=512,
            limit=None,
            stage="intermediate",
            differs="hidden state 14 whatever the model, so that one of 12 layers has none",
            source="Phang et al. 2020, https://github.com/nyu-mll/jiant EmbeddingModel",
        ),
        RetrievalProtocol(
            "mteb",
            poolings=("native",),
            layers=LAST,
            measures="f1_weighted,precision_weighted,accuracy",
            directions=("forward", "backward"),
            max_length=None,
            limit=None,
            stage="any",
            differs="its main score is the weighted F1; some tasks have one direction; prompt: `prefix`",
            source="Enevoldsen et al. 2025, https://github.com/embeddings-benchmark/mteb BitextMining",
        ),
        RetrievalProtocol(
            "mexa",
            poolings=("weighted", "last"),
            layers=ALL,
            measures="mexa",
            directions=("both",),
            max_length=None,
            limit=100,
            stage="pretrained",
            differs="there without intervals, of the pivot with itself too",
            source="Kargaran et al. 2024, https://github.com/cisnlp/MEXA",
        ),
        RetrievalProtocol(
            "xsim",
            poolings=("native",),
            layers=LAST,
            measures="ratio_accuracy@4",
            directions=("forward",),
            max_length=None,
            limit=None,
            stage="any",
            differs="there an error rate, 1 - ratio accuracy, of its own encoder",
            source="Heffernan et al. 2022, https://github.com/facebookresearch/LASER source/xsim.py",
            duplicates="class",
        ),
        RetrievalProtocol(
            "lexical-injection",
            poolings=("mean", "mean-but-first"),
            layers=ALL,
            measures="matched_cosine,contrast,accuracy",
            directions=("forward", "backward", "mean", "both"),
            max_length=None,
            limit=None,
            stage="any",
            differs="there the mean cosine of pairs alone, not centred, the first token included",
            source="Ngugi 2025, https://arxiv.org/abs/2506.15415",
            maps="none,centre",
            unit="word",
        ),
    )
}


@dataclass(frozen=True)
class MiningProtocol:
    """How a tool mines."""

    name: str
    k: int
    margin: str
    strategy: str
    extract: int | None  # candidates of a sentence; None: all k
    threshold: float | None  # None: tuned by best F1
    layer: str  # what it takes; for you to ask for with --layer
    pooling: str
    differs: str  # from what is done here under its name
    source: str


MINING_PROTOCOLS: Mapping[str, MiningProtocol] = {
    protocol.name: protocol
    for protocol in (
        MiningProtocol(
            "laser",
            k=4,
            margin="ratio",
            strategy="max",
            extract=None,
            threshold=None,
            layer="its own encoder's output",
            pooling="max",
            differs="its published F1 is tuned and measured on the same training split; sentences that "
            "stand twice are dropped there, one here",
            source="LASER tasks/bucc, https://github.com/facebookresearch/LASER",
        ),
        MiningProtocol(
            "xtreme",
            k=4,
            margin="ratio",
            strategy="max",
            extract=None,
            threshold=None,
            layer="8 of 12; as coded 20 of 24",
            pooling="mean",
            differs="tunes on the shared task's sample and reports on its training split, which it "
            "calls dev and test",
            source="Hu et al. 2020, https://github.com/google-research/xtreme",
        ),
        MiningProtocol(
            "jiant",
            k=4,
            margin="ratio",
            strategy="max",
            extract=None,
            threshold=None,
            layer="14 of 24",
            pooling="mean",
            differs="tunes on dev (the sample) and reports the sample itself or the test predictions",
            source="Phang et al. 2020, https://github.com/nyu-mll/jiant",
        ),
        MiningProtocol(
            "stopes",
            k=16,
            margin="ratio",
            strategy="union",
            extract=1,
            threshold=1.06,
            layer="its own encoder's output",
            pooling="encoder's",
            differs="approximate search there; cosines are doubled, which a ratio does not see",
            source="https://github.com/facebookresearch/stopes",
        ),
    )
}


_Protocol = TypeVar("_Protocol")


def choose_protocol(name: str, known: Mapping[str, _Protocol]) -> _Protocol | None:
    """Return the protocol of a name from one of the tables, None for no name.

    Raises:
        ValueError: an unknown name.
    """
    if name and name not in known:
        raise ValueError(f"unknown protocol {name!r}: one of {', '.join(known)}")
    return known.get(name)
