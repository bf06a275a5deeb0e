"""Correlations over checkpoints and languages, with intervals that draw both.

Cells that share a language, or a checkpoint, are not independent: an interval over single cells would be
far too narrow. So whole languages and whole checkpoints are drawn (Owen 2007, The pigeonhole bootstrap),
which is rather too wide than too narrow.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.stats
from jaxtyping import Float, Int64

from ...alignment.statistics.bootstrap import RESAMPLES, percentiles
from ..retention.paired import NAN

POINTS = 8  # fewer are shown, not correlated

Weights = Float[np.ndarray, "n"]


@dataclass(frozen=True, eq=False)
class Cells:
    """Two numbers of some checkpoints and languages."""

    x: Float[np.ndarray, "n"]
    y: Float[np.ndarray, "n"]
    checkpoint: Int64[np.ndarray, "n"]  # 0 … C - 1
    language: Int64[np.ndarray, "n"]  # 0 … L - 1
    covariates: Float[np.ndarray, "n k"]  # taken out for a partial correlation; k may be 0

    @property
    def factors(self) -> list[Int64[np.ndarray, "n"]]:
        """The checkpoints and the languages, without a factor of which there is only one."""
        return [one for one in (self.checkpoint, self.language) if len(np.unique(one)) > 1]


@dataclass(frozen=True)
class Correlation:
    """A coefficient, its interval, and its range when one language or checkpoint is left out."""

    value: float = NAN
    low: float = NAN
    high: float = NAN
    least: float = NAN
    most: float = NAN
    note: str = ""


def correlation(
    cells: Cells, *, kind: str = "pearson", partial: bool = False, seed: int = 0
) -> Correlation:
    """Return the correlation of two numbers over checkpoints and languages.

    Pearson's r; Spearman's ρ is that of the ranks among all cells. Partial: r of what the covariates do
    not explain of each, by least squares with an intercept.

    Args:
        cells: the numbers.
        kind: pearson or spearman.
        partial: take out the covariates.
        seed: of the draws.

    Returns:
        Nothing but a note below 8 points, and where a number does not vary. Range [-1, 1].
    """
    count = len(cells.x)
    needed = POINTS + (cells.covariates.shape[1] if partial else 0)
    if count < needed:
        return Correlation(note=f"{count} points, fewer than {needed}: only shown")
    x, y = (scipy.stats.rankdata(one) if kind == "spearman" else one for one in (cells.x, cells.y))
    if not (np.ptp(x) and np.ptp(y)):
        return Correlation(note="all the same: no correlation")
    ones = np.ones((count, 1))
    design = np.concatenate([ones, cells.covariates], axis=1) if partial else ones

    def of(weights: Weights) -> float:
        return weighted(x, y, design, weights)

    rng = np.random.default_rng(seed)
    drawn = np.array([of(_draw(cells, rng)) for _ in range(RESAMPLES)])
    drawn = drawn[np.isfinite(drawn)]  # a draw of one language again and again has none
    groups = min(len(np.unique(one)) for one in cells.factors)
    low, high = percentiles(np.arctanh(np.clip(drawn, -1 + 1e-12, 1 - 1e-12)), groups)
    without = _left_out(cells, of)
    return Correlation(
        of(np.ones(count)),
        float(np.tanh(low)),
        float(np.tanh(high)),
        float(np.nanmin(without)),
        float(np.nanmax(without)),
    )


def weighted(
    x: Float[np.ndarray, "n"],
    y: Float[np.ndarray, "n"],
    design: Float[np.ndarray, "n k"],
    weights: Weights,
) -> float:
    """Return the weighted correlation of what a design does not explain; nan where nothing is left."""
    root = np.sqrt(weights)
    both = np.stack([x, y], axis=1) * root[:, None]
    own = design * root[:, None]
    rest = both - own @ np.linalg.lstsq(own, both, rcond=None)[0]
    squares = np.einsum("nc,nc->c", rest, rest)
    before = np.einsum("nc,nc->c", both, both)
    if (squares <= 1e-18 * before).any():
        return NAN
    return float(rest[:, 0] @ rest[:, 1] / np.sqrt(squares.prod()))


def _draw(cells: Cells, rng: np.random.Generator) -> Weights:
    """Return how often each cell is drawn: as often as its language times its checkpoint."""
    weights = np.ones(len(cells.x))
    for factor in cells.factors:
        count = int(factor.max()) + 1
        weights *= np.bincount(rng.integers(0, count, count), minlength=count)[factor]
    return weights


def _left_out(cells: Cells, of: Callable[[Weights], float]) -> list[float]:
    """Return the coefficients without each language, and without each checkpoint."""
    return [of((factor != one).astype(float)) for factor in cells.factors for one in np.unique(factor)]
