"""Official metrics, as counts of every example, so that any of them has an interval over groups.

Each metric is a function of the means of a few counts: resampling groups resamples those.
"""

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from jaxtyping import Float

from ...alignment.statistics.bootstrap import percentiles, resampled_means
from ...data.groups import group_numbers
from ...data.rows import Columns

Counts = Float[np.ndarray, "n c"]  # of each example
_ARTICLES = re.compile(r"\b(a|an|the)\b")


@dataclass(frozen=True)
class Metric:
    """A number in [0, 1] made of the means of counts."""

    name: str
    value: Callable[[Float[np.ndarray, "r c"]], Float[np.ndarray, "r"]]
    convention: str = ""  # whose definition it is, where there are several


@dataclass(frozen=True)
class MetricResult:
    """A metric on some examples, with its interval over groups and what a constant answer reaches."""

    metric: str
    value: float
    low: float
    high: float
    baseline: float
    n: int
    groups: int
    convention: str = ""  # see `Metric`

    @property
    def at_baseline(self) -> bool:
        """Whether the lower end is not above what a constant answer reaches."""
        return not self.low > self.baseline

    @property
    def row(self) -> Columns:
        """Everything of it, by name."""
        return {**asdict(self), "at_baseline": self.at_baseline}


def measure(
    metric: Metric, counts: Counts, constants: Sequence[Counts], groups: Sequence[str], seed: int = 0
) -> MetricResult:
    """Return the metric of examples with a bootstrap interval over their groups.

    Args:
        metric: what the counts are made into.
        counts: of each example, as predicted.
        constants: of each example, as constant answers have them; the best of them is the baseline.
        groups: of each example.
        seed: of the bootstrap.
    """
    numbers = group_numbers(list(groups), len(counts))
    means = resampled_means(counts, numbers, seed=seed)
    low, high = percentiles(metric.value(means), int(numbers.max()) + 1)
    value, *reached = (float(metric.value(c.mean(axis=0)[None])[0]) for c in (counts, *constants))
    return MetricResult(
        metric.name,
        value,
        float(low),
        float(high),
        max(reached),
        len(counts),
        int(numbers.max()) + 1,
        metric.convention,
    )


def ratio(counts: Float[np.ndarray, "r c"]) -> Float[np.ndarray, "r"]:
    """Return right / all, of the columns (right, all)."""
    share: np.ndarray = counts[:, 0] / counts[:, 1]
    return share


def f1(counts: Float[np.ndarray, "r c"]) -> Float[np.ndarray, "r"]:
    """Return 2 right / (predicted + gold), of columns (right, predicted, gold); 0 where all are 0."""
    total = counts[:, 1] + counts[:, 2]
    result: np.ndarray = np.divide(2 * counts[:, 0], total, out=np.zeros_like(total), where=total > 0)
    return result


ACCURACY = Metric("accuracy", ratio)
# seqeval's default, which XTREME reports: an I- without its B- begins an entity (strict IOB2: none)
ENTITY_F1 = Metric("entity_f1", f1, "seqeval")
SPAN_F1 = Metric("span_f1", ratio, "SQuAD")
EXACT = Metric("exact_match", ratio)
CHARACTER_F1 = Metric("character_f1", ratio)


def entity_counts(
    predicted: Sequence[str], gold: Sequence[str], *, prefixed: bool = True
) -> tuple[int, int, int]:
    """Return how many entities are right (type and both ends), predicted, and in the gold."""
    find = entities if prefixed else runs
    ours, theirs = set(find(predicted)), set(find(gold))
    return len(ours & theirs), len(ours), len(theirs)


def runs(tags: Sequence[str]) -> list[tuple[str, int, int]]:
    """Return tag, first word and one after the last of the runs of equal tags.

    What seqeval (before 1.0) takes for entities in tags without prefixes, and so XTREME's F1 of parts of
    speech: two nouns in a row are one. Tags that begin with S stand alone: it reads that as "single".
    """
    found: list[tuple[str, int, int]] = []
    for place, tag in enumerate(tags):
        if found and found[-1][0] == tag and found[-1][2] == place and not tag.startswith("S"):
            found[-1] = (tag, found[-1][1], place + 1)
        elif tag != "O":
            found.append((tag, place, place + 1))
    return found


def entities(tags: Sequence[str]) -> list[tuple[str, int, int]]:
    """Return type, first word and one after the last of every entity in IOB2 tags.

    As conlleval and seqeval: an I- that follows another type, or nothing, begins an entity.
    """
    found: list[tuple[str, int, int]] = []
    kind, first = "", 0
    for place, tag in enumerate([*tags, "O"]):
        prefix, _, name = tag.partition("-")
        if kind and (prefix != "I" or name != kind):
            found.append((kind, first, place))
            kind = ""
        if prefix in ("B", "I") and not kind:
            kind, first = name, place
    return found


def normalise(text: str) -> str:
    """Return an answer as SQuAD's evaluation compares it: lower case, no punctuation, no articles."""
    text = "".join(character for character in text.lower() if character not in string.punctuation)
    return " ".join(_ARTICLES.sub(" ", text).split())


def squad_f1(predicted: str, gold: Sequence[str], *, by_character: bool = False) -> tuple[float, float]:
    """Return F1 and exact match against the best of the gold answers.

    Args:
        predicted: the answer; empty for none.
        gold: the answers; none means that no answer is right.
        by_character: for languages written without spaces, where SQuAD's split by white space counts
            whole sentences as one word.

    Source: SQuAD 1.1's and 2.0's evaluation scripts, Rajpurkar et al. 2016, 2018.
    """
    best = 0.0, 0.0
    ours = _tokens(predicted, by_character)
    for answer in gold or [""]:
        theirs = _tokens(answer, by_character)
        same = sum((Counter(ours) & Counter(theirs)).values())
        some = ours and theirs
        score = 2 * same / (len(ours) + len(theirs)) if some else float(ours == theirs)
        exact = float(normalise(predicted) == normalise(answer))
        best = max(best[0], score), max(best[1], exact)
    return best


def _tokens(text: str, by_character: bool) -> list[str]:
    words = normalise(text).split()
    if not by_character:
        return words
    return [
        character
        for word in words
        for character in word
        if not unicodedata.category(character).startswith("P")
    ]
