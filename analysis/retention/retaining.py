"""Retention: what a fine-tuned checkpoint keeps, gains or loses of its base's alignment.

Δ = (s - null) of the fine-tuned less that of the base, on the same sentences; ρ their ratio, which there
is only where the base is above its floors: below, it would divide noise by noise.
"""

from pathlib import Path

import pandas as pd
from threadpoolctl import threadpool_limits

from ...alignment.runs.table import MACRO
from ...data.rows import Columns
from .best_layers import ClaimsOfLanguages, at_best_layers
from .cell_pairs import CELL, Cells, Sides, matching, read_scored, refuse_unlike
from .comparison import OverLanguages, compared, keyed, stacked


def compare_runs(
    run: Path,
    base: Path,
    *,
    dev: tuple[Path, Path] | None = None,
    margin: float | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare a fine-tuned checkpoint with its base, from two run folders of `score`.

    Args:
        run: of the fine-tuned checkpoint.
        base: of its base: the same sentences and settings.
        dev: run folders of both on another corpus, by which each side's own best layer is chosen, in
            every draw again; without it only equal layers are compared.
        margin: the greatest loss that counts as retained; with `dev`: gives verdicts, see `verdicts`.
        seed: of the draws.

    Returns:
        A row per cell, measure, direction and layer (`chosen` = equal; best: each at its own), and per
        mean over languages (source = macro): value, base, their nulls, delta, ratio and log_odds with
        intervals over groups, and a note where one of them is not given. Rows of `best` have the
        change of the area under the curve over depth, and the verdict.

    Raises:
        ValueError: other sentences or settings on the two sides.
        OSError: no run there.
    """
    chosen_by = (read_scored(dev[0]), read_scored(dev[1])) if dev else None
    return compare_cells(
        read_scored(run),
        read_scored(base),
        dev=chosen_by,
        margin=margin,
        seed=seed,
        names=(str(run), str(base)),
    )


def compare_cells(
    tuned: Cells,
    plain: Cells,
    *,
    dev: tuple[Cells, Cells] | None = None,
    margin: float | None = None,
    seed: int = 0,
    names: tuple[str, str],
) -> pd.DataFrame:
    """Compare the cells of two runs that were read; see `compare_runs`.

    Args:
        tuned: of the fine-tuned checkpoint.
        plain: of its base.
        dev: of both on another corpus.
        margin: see `compare_runs`.
        seed: of the draws.
        names: what the two are called where they do not fit.
    """
    refuse_unlike(tuned, plain, *names)
    with threadpool_limits(1):  # to the last bit the same, however many there are
        return _compared(tuned, plain, dev, margin, seed)


def _compared(
    tuned: Cells, plain: Cells, dev: tuple[Cells, Cells] | None, margin: float | None, seed: int
) -> pd.DataFrame:
    equal: list[Columns] = []
    best: list[Columns] = []
    means: dict[tuple[str, ...], tuple[Columns, OverLanguages]] = {}
    claims: dict[tuple[str, ...], tuple[Columns, ClaimsOfLanguages]] = {}
    for cell in sorted(plain):
        sides = Sides(tuned[cell], plain[cell], " ".join(cell))
        checkpoints = [side.about["checkpoint"] for side in sides.both]
        head = dict(zip(("checkpoint", "base_checkpoint", *CELL), (*checkpoints, *cell), strict=True))
        over = head | {"source": MACRO, "target": MACRO}
        kind = (*cell[:3], *cell[5:])
        for parts, keys in sides.shared().items():
            scores = sides.means(parts, keys, keys)
            columns = keyed(keys) | sides.facts(keys, keys)
            columns |= compared(scores, columns, [measure for measure, _, _ in keys])
            equal.append(head | columns)
            _, mean = means.setdefault((*kind, parts[0]), (over, OverLanguages()))
            mean.add(keys, scores, columns)
        if dev is not None:
            own, base = (side[matching(side, cell)] for side in dev)
            choice = Sides(own, base, " ".join(cell))
            for columns, changes in at_best_layers(sides, choice, margin, seed):
                best.append(head | columns)
                for row, change in enumerate(changes):
                    name = (*kind, columns["measure"][row], columns["direction"][row])
                    _, claim = claims.setdefault(name, (over, ClaimsOfLanguages()))
                    claim.add(columns, row, change)
    for over, mean in means.values():
        if (found := mean.columns()) is not None:
            equal.append(over | found)
    for over, claim in claims.values():
        claim.fill()
        if (found := claim.mean(margin)) is not None:
            best.append(over | found)
    return stacked([*equal, *best])
