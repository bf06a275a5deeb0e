"""Retention: what a fine-tuned checkpoint keeps, gains or loses of its base's alignment.

Δ = (s - null) of the fine-tuned less that of the base, on the same sentences; ρ their ratio, which there
is only where the base is above its floors: below, it would divide noise by noise.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..alignment.measures import MEASURES
from ..alignment.statistics.nulls import benjamini_hochberg
from ..data.rows import Columns, Row
from .cell_pairs import CELL, Cells, Sides, matching, read_scored, refuse_unlike
from .claims import TOO_FEW_LANGUAGES, languages_like_these, p_any, p_of
from .paired import Estimated, Means, average, difference, interval, log_odds, ratio
from .verdicts import Change, change_of, judge, mean_change

MACRO = "macro"  # the mean over languages, in the column `source`
NO_FLOOR = "base not above its floor"
NO_SHARE = "lower is better: no share"


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
    rows: list[Columns] = []
    by_key: dict[tuple[Any, ...], list[tuple[Means, Columns]]] = {}
    at_best: dict[tuple[Any, ...], list[tuple[Columns, Change]]] = {}
    for cell in sorted(plain):
        compared = [side[cell].about["checkpoint"] for side in (tuned, plain)]
        columns = dict(zip(("checkpoint", "base_checkpoint", *CELL), (*compared, *cell), strict=True))
        sides = Sides(tuned[cell], plain[cell], " ".join(cell))
        for measure, direction, layer in sides.shared():
            key = (measure, direction, layer)
            means, facts = sides.means([key], [key]), sides.facts(key, key)
            head = columns | {"measure": measure, "direction": direction, "layer": layer}
            head |= {"base_layer": layer, "chosen": "equal"}
            rows.append(head | facts | _compared(means, facts, measure))
            kind = (*cell[:3], *cell[5:], measure, direction, layer)
            by_key.setdefault(kind, []).append((means, head | facts))
        if dev is not None:
            tuned_dev, plain_dev = (side[matching(side, cell)] for side in dev)
            choice = Sides(tuned_dev, plain_dev, " ".join(cell))
            for row, change in _at_best(sides, choice, seed):
                kind = (*cell[:3], *cell[5:], row["measure"], row["direction"])
                row |= _judged(change, margin)
                at_best.setdefault(kind, []).append((columns | row, change))
    for parts in at_best.values():
        _add_claims(parts)
    rows += [row for parts in at_best.values() for row, _ in parts]
    rows += [_macro(parts) for parts in by_key.values() if len(parts) > 1]
    rows += [_macro_at_best(parts, margin) for parts in at_best.values() if len(parts) > 1]
    return pd.DataFrame(rows).astype({"layer": "Int64", "base_layer": "Int64"})


def _compared(means: Means, facts: Row, measure: str) -> Columns:
    """Return delta, ratio and log-odds of two means; of a single layer there is no area or verdict."""
    nulls = np.array([facts["null"], facts["base_null"]], dtype=np.float64)
    above = means.below(np.nan_to_num(nulls))
    floor = np.nanmax([facts["base_null"], facts["surface"], -np.inf])
    higher = MEASURES[measure].higher_is_better
    reached = higher and interval(means, 1).low > floor
    odds = log_odds(means) if MEASURES[measure].proportion else Estimated(np.nan)
    note = "" if reached else NO_FLOOR if higher else NO_SHARE
    return {
        **_with_error("delta", difference(above)),
        **_named("ratio", ratio(above) if reached else Estimated(np.nan)),
        **_named("log_odds", odds),
        **_with_error("area", Estimated(np.nan)),
        **dict.fromkeys(("like_low", "like_high", "p", "q", "p_any", "margin"), np.nan),
        "verdict": "",
        "like_note": "",
        "groups": means.groups,
        "note": note,
    }


def _macro(parts: Sequence[tuple[Means, Columns]]) -> Columns:
    """Return the row of the mean over languages: of ratios, the ratio of the means."""
    table = pd.DataFrame([head for _, head in parts])
    facts = {name: table[name].mean() for name in ("value", "base", "null", "base_null", "surface")}
    facts["n"] = int(table["n"].sum())
    means = average([means for means, _ in parts])
    head = dict(parts[0][1]) | {"source": MACRO, "target": MACRO}
    row = head | facts | _compared(means, facts, str(head["measure"]))
    errors = np.array([difference(each).error for each, _ in parts])
    deltas = (table["value"] - table["null"].fillna(0)) - (table["base"] - table["base_null"].fillna(0))
    return row | _like(row, deltas.to_numpy(), errors)


def _macro_at_best(parts: Sequence[tuple[Columns, Change]], margin: float | None) -> Columns:
    """Return the row of the mean over languages; each has its own best layer."""
    table = pd.DataFrame([row for row, _ in parts])
    facts: Columns = {
        name: table[name].mean() for name in ("value", "base", "null", "base_null", "surface")
    }
    change = mean_change([change for _, change in parts])
    row = parts[0][0] | {"source": MACRO, "target": MACRO, "n": int(table["n"].sum())} | facts
    row |= _with_error("delta", change.best.interval()) | _judged(change, margin)
    row |= _like(row, table["delta"].to_numpy(), table["delta_error"].to_numpy())
    row |= {name: np.nan for name in row if name.startswith(("ratio", "log_odds", "q", "p_any"))}
    row["p"] = p_of(change.best)
    return row | {"layer": None, "base_layer": None}


def _judged(change: Change, margin: float | None) -> Columns:
    """Return the change of the area, and the verdict if there is a margin."""
    verdict = "" if margin is None else str(judge(change, margin))
    return _with_error("area", change.area.interval()) | {"margin": margin or np.nan, "verdict": verdict}


def _like(row: Row, deltas: Float[np.ndarray, "l"], errors: Float[np.ndarray, "l"]) -> Columns:
    """Return the interval for languages like these of a mean over languages."""
    span = languages_like_these(deltas, errors, row["delta_error"], row["groups"])
    note = TOO_FEW_LANGUAGES if np.isnan(span.low) else ""
    return {"like_low": span.low, "like_high": span.high, "like_note": note}


def _add_claims(parts: Sequence[tuple[Columns, Change]]) -> None:
    """Add what holds of one language among these: `p`, `q` over them, `p_any` of all at once."""
    readings = [change.best for _, change in parts]
    p = np.array([p_of(one) for one in readings])
    for (row, _), *found in zip(parts, p, benjamini_hochberg(p), p_any(readings), strict=True):
        row |= dict(zip(("p", "q", "p_any"), map(float, found), strict=True))


def _at_best(sides: Sides, choice: Sides, seed: int) -> Iterator[tuple[Columns, Change]]:
    """Yield the comparison of each side at its own best layer, chosen on other sentences.

    A gain at one fixed layer may be a shift of layers.
    """
    layers: dict[tuple[str, str], list[int]] = {}
    known = set(choice.shared())
    for key in sides.shared():
        if key in known:
            layers.setdefault(key[:2], []).append(key[2])
    for (measure, direction), some in layers.items():
        keys = [(measure, direction, layer) for layer in some]
        better = 1 if MEASURES[measure].higher_is_better else -1
        surface = float(sides.both[1].scores[keys[0]]["surface"])
        curves = sides.means(keys, keys), choice.means(keys, keys)
        change = change_of(*curves, sides.nulls(keys, keys), surface, better, seed)
        own, base = (keys[place] for place in change.layers)
        facts = sides.facts(own, base)
        found = _compared(sides.means([own], [base]), facts, measure)
        found |= _with_error("delta", change.best.interval())
        # Fieller's interval and the log-odds' would not know of the choice
        found |= {name: np.nan for name in found if name.startswith(("ratio_", "log_odds_"))}
        where = {"layer": own[2], "base_layer": base[2], "chosen": "best"}
        yield {"measure": measure, "direction": direction} | where | facts | found, change


def _named(name: str, span: Estimated) -> dict[str, float]:
    return {name: span.value, f"{name}_low": span.low, f"{name}_high": span.high}


def _with_error(name: str, span: Estimated) -> dict[str, float]:
    return _named(name, span) | {f"{name}_error": span.error}
