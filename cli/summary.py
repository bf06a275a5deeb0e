"""What `score` prints: a line per language, then the macro mean."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def summary(table: "pd.DataFrame") -> str:
    """Return the text that stands for a score table on a terminal.

    For each pooling and map: every pair's best layer with its interval, the last layer, the floors.
    """
    name, direction = headline(table)
    rows = table[(table["measure"] == name) & (table["direction"] == direction)]
    lines: list[str] = []
    for (pooling, map_name), part in rows.groupby(["pooling", "map"], sort=False):
        lines += [f"{name}, {direction}; pooling {pooling}, map {map_name}"]
        lines += _block(part)
    lines.append(
        "best: chosen on these same sentences, so a little high. null: randomly re-paired. "
        "surface: character n-grams, no model."
    )
    return "\n".join(lines)


def headline(table: "pd.DataFrame") -> tuple[str, str]:
    """Return the measure and direction to show: accuracy where there is one, mean before both."""
    names = list(dict.fromkeys(table["measure"]))
    measure = "accuracy" if "accuracy" in names else names[0]
    directions = set(table.loc[table["measure"] == measure, "direction"])
    return measure, "mean" if "mean" in directions else "both"


def _block(part: "pd.DataFrame") -> list[str]:
    head = f"{'pair':<12} {'n':>6}  {'best layer':>10} {'value':>7} {'95 % interval':>16}"
    lines = [head + f" {'last':>7} {'null':>7} {'surface':>8}"]
    best_values, last_values, nulls, surfaces = [], [], [], []
    for (source, target), pair in part.groupby(["source", "target"], sort=False):
        best = pair.loc[pair["value"].fillna(float("-inf")).idxmax()]
        last = pair.loc[pair["layer"].idxmax()]
        best_values.append(best["value"])
        last_values.append(last["value"])
        nulls.append(best["null"])
        surfaces.append(best["surface"])
        lines.append(
            f"{source + '-' + target:<12} {best['n']:>6} {best['layer']:>11} {best['value']:>7.4f} "
            f"  [{best['low']:.4f}, {best['high']:.4f}] {last['value']:>7.4f} "
            f"{best['null']:>7.4f} {best['surface']:>8.4f}"
        )
    means = part.groupby("layer")["value"].mean()
    lines.append(
        f"{'macro mean':<12} {'':>6} {'':>11} {_mean(best_values):>7.4f}   {'':>16} "
        f"{_mean(last_values):>7.4f} {_mean(nulls):>7.4f} {_mean(surfaces):>8.4f}"
    )
    lines.append(f"best single layer over all pairs: {means.idxmax()} (macro mean {means.max():.4f})")
    return lines


def _mean(values: list[float]) -> float:
    return float(sum(values) / len(values))
