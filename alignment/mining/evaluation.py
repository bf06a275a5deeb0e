"""How good mined pairs are: precision, recall and F1 with an honestly chosen threshold.

The unit is the source sentence. Whoever splits the gold instead, and mines one haystack, counts the
other half's true pairs as false: here a split takes source sentences with all they were paired with,
whether gold or not, and the target side stays whole. Pairs of equal score stand or fall together.

A threshold (and a layer) chosen on the sentences it is then judged on gives an ORACLE F1, which is too
high. All counts may be weighted by source sentence, which is how they are resampled.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from ..statistics.bootstrap import RESAMPLES
from ..statistics.intervals import LEVEL
from .pairs import MinedPairs

Weights = Float64[np.ndarray, "n"]
NAMES = ("precision", "recall", "f1")


@dataclass(frozen=True, eq=False)
class EvaluatedPairs:
    """Mined pairs, best first, and the gold they are held against."""

    source: Int64[np.ndarray, "p"]
    score: Float64[np.ndarray, "p"]
    right: Bool[np.ndarray, "p"]
    gold: Int64[np.ndarray, "n"]  # gold pairs of each source sentence

    def among(self, sources: Bool[np.ndarray, "n"]) -> "EvaluatedPairs":
        """Return what belongs to some of the source sentences."""
        mine = sources[self.source]
        return EvaluatedPairs(self.source[mine], self.score[mine], self.right[mine], self.gold * sources)


@dataclass(frozen=True)
class PairCounts:
    """True pairs found, pairs found, gold pairs."""

    right: float
    found: float
    gold: float

    def __add__(self, other: "PairCounts") -> "PairCounts":
        """Pool the counts of two sets of source sentences."""
        return PairCounts(self.right + other.right, self.found + other.found, self.gold + other.gold)

    @property
    def precision(self) -> float:
        """Right / found; 0 if nothing was found."""
        return self.right / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """Right / gold; nan without gold."""
        return self.right / self.gold if self.gold else float("nan")

    @property
    def f1(self) -> float:
        """2 right / (found + gold), the harmonic mean; nan without gold."""
        return 2 * self.right / (self.found + self.gold) if self.gold else float("nan")


@dataclass(frozen=True)
class TunedThreshold:
    """What was chosen on the tune sentences."""

    layer: int
    threshold: float
    f1: float  # there


def evaluate_pairs(pairs: MinedPairs, gold: Int64[np.ndarray, "g 2"], n: int) -> EvaluatedPairs:
    """Hold mined pairs against gold pairs (source, target) among n source sentences."""
    wide = 1 + int(max(pairs.target.max(initial=0), gold[:, 1].max(initial=0)))
    known = np.unique(gold[:, 0] * wide + gold[:, 1])
    right = np.isin(pairs.source * wide + pairs.target, known)
    return EvaluatedPairs(pairs.source, pairs.score, right, np.bincount(known // wide, minlength=n))


def _curve(
    judged: EvaluatedPairs, weights: Weights | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Return after each group of equal scores: its score, right pairs, found pairs so far; the gold."""
    score = judged.score
    weight = np.ones(len(score)) if weights is None else weights[judged.source]
    gold = judged.gold.sum() if weights is None else weights @ judged.gold
    ends = np.flatnonzero(np.diff(score, append=-np.inf))
    right, found = np.cumsum(weight * judged.right)[ends], np.cumsum(weight)[ends]
    return score[ends], right, found, float(gold)


def best_threshold(judged: EvaluatedPairs, weights: Weights | None = None) -> tuple[float, float]:
    """Return the threshold of greatest F1 and that F1; pairs of at least the threshold are kept.

    It lies half way to the next lower score, or on the score itself if there is none lower. Of equal F1
    the highest threshold. Infinite, with F1 0, where no pair is right: then nothing is kept.
    """
    score, right, found, gold = _curve(judged, weights)
    if not len(score) or not right[-1]:
        return float("inf"), 0.0
    f1 = 2 * right / (found + gold)
    best = int(f1.argmax())
    below = score[best + 1] if best + 1 < len(score) else score[best]
    # the sum of two near numbers may round to the lower one
    middle = (score[best] + below) / 2
    return float(middle if middle > below else score[best]), float(f1[best])


def counts(judged: EvaluatedPairs, threshold: float, weights: Weights | None = None) -> PairCounts:
    """Return the counts of the pairs that reach a threshold."""
    kept = judged.score >= threshold
    weight = np.ones(len(judged.gold)) if weights is None else weights
    mine = weight[judged.source[kept]]
    return PairCounts(float(mine @ judged.right[kept]), float(mine.sum()), float(weight @ judged.gold))


def average_precision(judged: EvaluatedPairs) -> float:
    """Return Σ (R_b - R_b-1) P_b over groups of equal score; nan without gold.

    Gold pairs that were not mined count as never found, so it is at most the recall ceiling.
    """
    _, right, found, gold = _curve(judged, None)
    if not gold:
        return float("nan")
    return float((np.diff(right, prepend=0) / gold * (right / found)).sum())


def precision_at_recall(judged: EvaluatedPairs, recall: float) -> float:
    """Return the greatest precision at which at least that recall is reached; nan if it never is."""
    _, right, found, gold = _curve(judged, None)
    reached = right >= recall * gold if gold else np.zeros(len(right), bool)
    return float((right[reached] / found[reached]).max()) if reached.any() else float("nan")


@dataclass(frozen=True, eq=False)
class Split:
    """Which source sentences a threshold is chosen on, and which it is judged on."""

    tune: Bool[np.ndarray, "n"]
    report: Bool[np.ndarray, "n"]


def splits(
    ids: Sequence[str], *, share: float | None = 0.5, folds: int | None = None, oracle: bool = False
) -> list[Split]:
    """Return the splits of source sentences by a hash of their ids.

    Args:
        ids: of the source sentences.
        share: of the sentences to tune on; the others report.
        folds: instead, this many parts, each reported with what was chosen on all others.
        oracle: instead, tune and report on all.

    Raises:
        ValueError: nothing would be left to tune or to report on.
    """
    everyone = np.ones(len(ids), bool)
    if oracle:
        return [Split(everyone, everyone)]
    place = np.array([uniform(one) for one in ids])
    if folds is not None:
        if folds < 2:
            raise ValueError(f"`folds` must be at least 2, got {folds}")
        fold = (place * folds).astype(int)
        return [Split(fold != number, fold == number) for number in range(folds)]
    if share is None or not 0 < share < 1:
        raise ValueError(
            f"`tune_share` lies between 0 and 1, got {share}; to tune on what is reported, take `oracle`"
        )
    return [Split(place < share, place >= share)]


def uniform(name: str) -> float:
    """Return a number in [0, 1) that a name decides, on every machine."""
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def choose(
    layers: Mapping[int, EvaluatedPairs], weights: Weights | None = None, given: float | None = None
) -> TunedThreshold:
    """Return the layer and threshold of greatest F1; of equal ones the lowest layer."""
    found = []
    for layer, judged in layers.items():
        if given is None:
            threshold, f1 = best_threshold(judged, weights)
        else:
            threshold, f1 = given, counts(judged, given, weights).f1
        found.append(TunedThreshold(layer, threshold, f1))
    return max(found, key=lambda choice: (choice.f1, -choice.layer))


def tuned(
    layers: Mapping[int, EvaluatedPairs], parts: Sequence[Split], given: float | None = None
) -> tuple[PairCounts, list[TunedThreshold]]:
    """Return the pooled counts on the report sentences, and what was chosen for each split.

    Args:
        layers: what was mined, by layer.
        parts: where thresholds are chosen and judged.
        given: a threshold that is not chosen.
    """
    return _pooled(_cut(layers, parts), None, given)


def tuned_intervals(
    layers: Mapping[int, EvaluatedPairs],
    parts: Sequence[Split],
    rng: np.random.Generator,
    given: float | None = None,
) -> dict[str, tuple[float, float]]:
    """Return percentile intervals of precision, recall and F1 on the report sentences.

    Source sentences are resampled, tune and report sentences each among themselves, and threshold and
    layer are chosen again in every resample: what the choice varies by is part of the interval.
    """
    cut = _cut(layers, parts)
    rest = ~np.any([part.report for part in parts], axis=0)
    groups = [np.flatnonzero(group) for group in (*(part.report for part in parts), rest)]
    weights = np.zeros(len(rest))
    drawn = []
    for _ in range(RESAMPLES):
        for group in groups:
            some = rng.integers(0, max(len(group), 1), len(group))
            weights[group] = np.bincount(some, minlength=len(group))
        pooled, _ = _pooled(cut, weights, given)
        drawn.append([getattr(pooled, name) for name in NAMES])
    low, high = np.nanquantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return {name: (float(low[i]), float(high[i])) for i, name in enumerate(NAMES)}


_Cut = list[
    tuple[dict[int, EvaluatedPairs], dict[int, EvaluatedPairs]]
]  # tune and report sentences, of each split


def _cut(layers: Mapping[int, EvaluatedPairs], parts: Sequence[Split]) -> _Cut:
    return [
        (
            {layer: judged.among(part.tune) for layer, judged in layers.items()},
            {layer: judged.among(part.report) for layer, judged in layers.items()},
        )
        for part in parts
    ]


def _pooled(
    cut: _Cut, weights: Weights | None, given: float | None
) -> tuple[PairCounts, list[TunedThreshold]]:
    choices = [choose(tune, weights, given) for tune, _ in cut]
    pooled = PairCounts(0.0, 0.0, 0.0)
    for choice, (_, report) in zip(choices, cut, strict=True):
        pooled += counts(report[choice.layer], choice.threshold, weights)
    return pooled, choices
