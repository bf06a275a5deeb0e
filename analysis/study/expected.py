"""What a study is expected to find: published figures, with their source and tolerance."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import AfterValidator

from ...data.languages import standard_tag
from ...data.nearest import closest
from ...data.settings_file import STRICT, within


def _tags(given: dict[str, float]) -> dict[str, float]:
    for code in given:
        standard_tag(code)
    return given


@dataclass(frozen=True)
class Expected:
    """Published figures of one checkpoint, held against the study's own."""

    __pydantic_config__ = STRICT

    source: str  # where they are published; `values` are by language
    checkpoint: str  # FAMILY/SCALE, of a fine-tuned one FAMILY/SCALE/TREATMENT
    corpus: str
    tolerance: Annotated[float, within(0, 1e6)]  # the greatest difference that counts as agreement
    values: Annotated[dict[str, float], AfterValidator(_tags)] = field(
        default_factory=dict
    )  # by language
    mean: float | None = None  # over `languages`
    languages: str = ""
    layer: Annotated[int, within(0, 1e4)] | Literal["any"] = "any"
    measure: str = "accuracy"
    direction: Literal["forward", "backward", "mean", "both"] = "mean"
    pooling: str = "mean"
    map: str = "none"

    def __post_init__(self) -> None:
        """Refuse an entry without figures, and a mean over nothing."""
        if not self.values and self.mean is None:
            raise ValueError("expected: values or a mean")
        if (self.mean is None) != (not self.languages):
            raise ValueError("expected: a mean needs the languages that it is over, by commas")
        for code in self.languages.split(",") if self.languages else ():
            standard_tag(code)

    @property
    def place(self) -> tuple[str, str]:
        """The scale, as FAMILY/SCALE, and the treatment, empty for the pretrained checkpoint."""
        parts = self.checkpoint.split("/")
        return "/".join(parts[:2]), "/".join(parts[2:])

    def refuse_unknown(
        self, places: Collection[str], treatments: Collection[str], corpora: Collection[str]
    ) -> None:
        """Refuse a checkpoint or a corpus that the study does not have.

        Raises:
            ValueError: it has none of that name; says the nearest.
        """
        place, treatment = self.place
        for what, name, known in (
            ("checkpoint", place, places),
            ("treatment", treatment, ["", *treatments]),
            ("corpus", self.corpus, corpora),
        ):
            if name not in known:
                raise ValueError(f"expected: {what} {name!r}: {closest(name, known)}")
