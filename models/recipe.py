"""What the family is made of: literal lists and numbers. Nothing of it is chosen elsewhere.

Alignment is trained in explicitly, so that findings on these models do not carry over to XLM-R, whose
alignment nobody asked for.
"""

from dataclasses import dataclass

LANGUAGES = ("en", "de", "fr", "es", "it", "ru", "zh", "ar", "tr", "fi", "hi", "sw")


@dataclass(frozen=True)
class Portion:
    """Consecutive parts of a many-parallel corpus, from the first to the last, both included."""

    corpus: str  # as `data.load` names it
    unit: str  # document, in the order of the corpus, or sentence
    first: int
    last: int


# The only text that any encoder of the family, its vocabulary or its vectors are made of.
TRAIN = (
    Portion("ntrex", "document", 1, 103),
    Portion("flores/dev", "sentence", 1, 797),
    Portion("tico19", "sentence", 1, 2100),
)
# Layers and curves are chosen on this; nothing is trained on it.
DEV = (Portion("ntrex", "document", 104, 123), Portion("flores/dev", "sentence", 798, 997))
REPORTED = "tatoeba"  # never looked at to choose anything
LICENCE = "CC BY-SA 4.0"  # of NTREX and FLORES; TICO-19 is CC0


@dataclass(frozen=True)
class Size:
    """A size of the family: body parameters are 8 d² + 11 d a layer."""

    name: str
    width: int  # d
    layers: int

    @property
    def heads(self) -> int:
        """Attention heads, 32 or 64 dimensions each."""
        return max(4, self.width // 64)

    @property
    def inner(self) -> int:
        """The width of the feed-forward layers."""
        return 2 * self.width

    @property
    def middle(self) -> int:
        """The hidden state at which translations are brought together."""
        return self.layers // 2

    @property
    def rate(self) -> float:
        """The learning rate of the body: one rule for all, inverse to the width."""
        return RATE * WIDTH / self.width


SIZES = (Size("pocket-xs", 128, 4), Size("pocket-s", 256, 4), Size("pocket-m", 384, 6))
RATE, WIDTH = 3e-4, 256  # the rate at this width


@dataclass(frozen=True)
class Variant:
    """An encoder of the family: a size, a seed, and whether it was shown what translates what."""

    size: Size
    seed: int = 0
    paired: bool = True

    @property
    def name(self) -> str:
        """Its folder."""
        control = "" if self.paired else "-mono"
        return f"{self.size.name}{control}" + (f"-seed{self.seed}" if self.seed else "")


XS, S, M = SIZES
# What is made, the longest first; the first seed of every size comes with the package.
VARIANTS = (
    Variant(M), Variant(S), Variant(S, seed=1), Variant(S, paired=False), Variant(XS),
    Variant(XS, seed=1),
)  # fmt: skip
LONGEST = 256  # input in tokens; places beyond two training sentences are untrained
PIECES = 24_000  # of the vocabulary, one for all scales


@dataclass(frozen=True)
class TrainingSettings:
    """How long and on what an encoder is trained; the same for all scales."""

    vector_steps: int = 2000  # of the token vectors alone
    vector_batch: int = 512  # pairs of translations
    vector_rate: float = 0.03
    steps: int = 300  # of the encoder
    batch: int = 64  # pairs of translations
    vocabulary_rate: float = 3e-5  # of the token vectors in the encoder
    translation: float = 0.1  # of the steps: words masked in a sentence and its translation at once
    masked: float = 0.15  # of the tokens
    dropped: float = 0.2  # of the tokens, from the bags that token vectors are trained by
    temperature: float = 0.1
    contrast: float = 1.0  # weights of the two losses
    prediction: float = 0.1
    warmup: float = 0.1
    clip: float = 1.0
    longest: int = 64  # tokens of a sentence, special ones included; the input has room for two


SETTINGS = TrainingSettings()
