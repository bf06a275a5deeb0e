"""What `score` prints: a line per language, then the macro mean."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd


NULLS = {
    "shuffle": "all sentences",
    "length": "sentences of a decile of length",
    "document": "sentences of a document",
}


def score_summary(table: "pd.DataFrame") -> str:
    """Return the text that shows a score table on a terminal.

    For each pooling and map what a reader may quote of the headline measure: the mean over pairs at the
    last layer and at the best common one; then every pair's own best layer, more optimistic, with its
    interval and the floors; then a line for each other measure.
    """
    from ..alignment.runs.table import headline

    name, direction = headline(table)
    lines: list[str] = []
    for (pooling, map_name), part in table.groupby(["pooling", "map"], sort=False):
        own = part[(part["measure"] == name) & (part["direction"] == direction)]
        lines += [
            f"{name}, {direction}; pooling {pooling}, map {map_name}",
            *_quotable(own),
            *_block(own),
        ]
        lines += _others(part[part["measure"] != name])
    kinds = dict.fromkeys(NULLS[kind] for kind in table["null_kind"] if kind)
    lines.append(
        "best layer: selected on these same sentences, so optimistic. "
        + (f"null: randomly re-paired, {'; '.join(kinds)}. " if kinds else "")
        + "surface: character n-grams, no model."
        + (" random: the model untrained." if table["random"].notna().any() else "")
    )
    return "\n".join(lines)


def several_summary(table: "pd.DataFrame") -> str:
    """Return a line for each of several checkpoints: its scale, its best single layer, its last."""
    from ..alignment.runs.table import headline

    name, direction = headline(table)
    shown = table[(table["measure"] == name) & (table["direction"] == direction)]
    lines = []
    for (pooling, map_name), part in shown.groupby(["pooling", "map"], sort=False):
        lines += [
            f"{name}, {direction}, macro mean; pooling {pooling}, map {map_name}",
            f"{'checkpoint':<36} {'step':>9} {'parameters':>11} {'body':>9} {'norm':<5} "
            f"{'best layer':>10} {'value':>7} {'last':>7} {'null':>7}",
        ]
        for _, rows in part.groupby(["checkpoint", "revision"], sort=False):
            first, means = rows.iloc[0], rows.groupby("layer")[["value", "null"]].mean()
            at = _best(means["value"], name)
            if at is None:
                continue
            millions = [_millions(first[scale]) for scale in ("parameters", "parameters_body")]
            step = _whole(first["step"])
            lines.append(
                f"{_short(first):<36} {step:>9} {millions[0]:>11} {millions[1]:>9} {first['norm']:<5} "
                f"{at:>10} {means.loc[at, 'value']:>7.4f} {means['value'].iloc[-1]:>7.4f} "
                f"{means.loc[at, 'null']:>7.4f}"
            )
    return "\n".join(lines)


def _short(row: "pd.Series") -> str:
    from ..alignment.drawing import short_name

    name = short_name(row["checkpoint"])
    return name if len(name) <= 36 else f"…{name[-35:]}"


def _whole(count: Any) -> str:
    return f"{int(count):,}" if _known(count) else "–"


def _millions(count: Any) -> str:
    return f"{count / 1e6:,.1f} M" if _known(count) else "–"


def _known(count: Any) -> bool:
    import pandas as pd

    return not pd.isna(count)


def decomposition(parts: "pd.DataFrame", table: "pd.DataFrame") -> str:
    """Return what a score is made of, at the best layer of each pair; see `map_decomposition`."""
    from ..alignment.runs.table import headline
    from ..alignment.scoring.map_decomposition import PARTS

    name, direction = headline(table)
    lines = [
        f"{name}, {direction}: what maps fitted on {parts['map_fit'].iloc[0]} add; sums to 1",
        f"{'pair':<12} {'pooling':<12} {'layer':>5}" + "".join(f" {part:>25}" for part in PARTS),
    ]
    shown = parts[(parts["measure"] == name) & (parts["direction"] == direction)]
    for (source, target, pooling), pair in shown.groupby(["source", "target", "pooling"], sort=False):
        scores = pair[pair["part"] == PARTS[0]].set_index("layer")["value"]
        at = _best(scores, name)
        rows = pair[pair["layer"] == at].set_index("part").loc[list(PARTS)]
        cells = zip(rows["value"], rows["low"], rows["high"], strict=True)
        shown_cells = "".join(f" {v:+8.4f} [{low:+.3f}, {high:+.3f}]" for v, low, high in cells)
        lines.append(f"{source + '-' + target:<12} {pooling:<12} {at:>5}" + shown_cells)
    return "\n".join(lines)


def over_layers(found: "pd.DataFrame") -> str:
    """Return the aggregates of all layers, a line a pair and pooling."""
    lines = [f"{found['measure'].iloc[0]} of {found['layers'].iloc[0]} layers"]
    for (source, target, pooling), pair in found.groupby(["source", "target", "pooling"], sort=False):
        cells = "".join(
            f"  {row['aggregate']} {row['value']:.4f} [{row['low']:.4f}, {row['high']:.4f}]"
            for _, row in pair.iterrows()
        )
        lines.append(f"{source + '-' + target:<12} {pooling:<12}{cells}")
    return "\n".join(lines)


def _best(values: "pd.Series", measure: str) -> Any:
    """Return the label of the best value; None where there is none."""
    from ..alignment.measures import MEASURES

    known = values.dropna()
    if known.empty:
        return None
    return known.idxmax() if MEASURES[measure].higher_is_better else known.idxmin()


def _floors(table: "pd.DataFrame") -> list[str]:
    """Return the floors that a table has; null and surface always stand there."""
    return ["null", "surface"] + ["random"] * bool(table["random"].notna().any())


def _block(part: "pd.DataFrame") -> list[str]:
    measure, floors = str(part["measure"].iloc[0]), _floors(part)
    head = f"{'pair':<12} {'n':>6}  {'own best':>10} {'value':>7} {'95 % interval':>18} {'last':>7}"
    lines = [head + "".join(f" {floor:>8}" for floor in floors)]
    best_rows, last_values = [], []
    for (source, target), pair in part.groupby(["source", "target"], sort=False):
        at = _best(pair["value"], measure)
        if at is None:
            lines.append(f"{source + '-' + target:<12} {pair['n'].iloc[0]:>6}  no value; see the notes")
            continue
        best, last = pair.loc[at], pair.loc[pair["layer"].idxmax()]
        best_rows.append(best)
        last_values.append(last["value"])
        interval = f"[{best['low']:.4f}, {best['high']:.4f}]"
        lines.append(
            f"{source + '-' + target:<12} {best['n']:>6} {best['layer']:>11} {best['value']:>7.4f} "
            f"{interval:>18} {last['value']:>7.4f}" + _numbers(best[floors])
        )
    if not best_rows:
        return lines
    best_means = {name: _mean([row[name] for row in best_rows]) for name in ("value", *floors)}
    lines.append(
        f"{'macro mean':<12} {'':>6} {'':>11} {best_means.pop('value'):>7.4f} {'':>18} "
        f"{_mean(last_values):>7.4f}" + _numbers(best_means.values())
    )
    return lines


def _quotable(part: "pd.DataFrame") -> list[str]:
    """Return what may be quoted: the macro mean at the last layer, and at the best common one."""
    means = part.groupby("layer")["value"].mean()
    at = _best(means, str(part["measure"].iloc[0]))
    if at is None:
        return []
    last = means.index.max()
    pairs = len(part.groupby(["source", "target"]))
    return [
        f"mean over {pairs} pairs: {means[last]:.4f} at the last layer ({last}); {means[at]:.4f} at "
        f"layer {at}, the best common one, selected on these sentences"
    ]


def _others(part: "pd.DataFrame") -> list[str]:
    """Return a line for each measure: the macro mean over the pairs at its best single layer."""
    from ..alignment.runs.table import main_direction

    lines, floors = [], _floors(part)
    for measure, rows in part.groupby("measure", sort=False):
        shown = rows[rows["direction"] == main_direction(rows)]
        means = shown.groupby("layer")[["value", *floors]].mean()
        at = _best(means["value"], str(measure))
        if at is not None:
            lines.append(
                f"{measure:<24} {at:>11} {means.loc[at, 'value']:>8.4f} "
                f"{means['value'].iloc[-1]:>8.4f}" + _numbers(means.loc[at, floors])
            )
    head = f"{'other measures (macro)':<24} {'best layer':>11} {'value':>8} {'last':>8}"
    head += "".join(f" {floor:>8}" for floor in floors)
    return [head, *lines] if lines else []


def _numbers(values: "Iterable[float]") -> str:
    """Return four decimals of each; a dash where there is no number."""
    return "".join(f" {'–' if value != value else f'{value + 0:.4f}':>8}" for value in values)


def _mean(values: list[float]) -> float:
    return float(sum(values) / len(values))
