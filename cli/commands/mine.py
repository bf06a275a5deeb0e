"""`crosslingual mine`: translation pairs out of two languages' sentences."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...alignment.mining.options import MineOptions
from ..generate import command
from ..messages import say
from ..shared import MODEL

if TYPE_CHECKING:
    import pandas as pd

    from ...alignment.mining.mining import MineResult


@command
def mine(
    options: MineOptions,
    checkpoint: Annotated[str, typer.Option(help=MODEL)],
    out: Annotated[Path, typer.Option(help="Where the pairs go: score, ids, sentences.")] = Path(
        "pairs.tsv"
    ),
    run: Annotated[
        Path | None, typer.Option(help="Run folder of finished layers.  [default: OUT.run]")
    ] = None,
    errors: Annotated[
        Path | None, typer.Option(help="Write the missed gold pairs, and what was found instead.")
    ] = None,
) -> None:
    """Mine translation pairs from two files (or a corpus), best first.

    With gold the threshold (and the layer) is chosen on one part of the source sentences and precision,
    recall and F1 are reported on the other. All scores go into OUT.scores.parquet. After an interruption
    the same command continues: vectors and mined layers are kept.

    crosslingual mine news.de news.en --checkpoint MODEL --out pairs.tsv

    crosslingual mine --corpus bucc --languages zh --data-dir DATA --checkpoint MODEL --out pairs.tsv
    """
    from ...alignment.mining.mining import mine as mined
    from ...alignment.runs.files import write_parquet
    from ..progress import reported
    from ..tsv import write_tsv

    out.parent.mkdir(parents=True, exist_ok=True)  # an hour's work should not end at this
    with reported() as progress:
        folder = run or out.with_name(f"{out.name}.run")
        result = mined(checkpoint, **{**vars(options), "out": folder, "progress": progress})
    write_tsv(result.pairs, out)
    if len(result.table):
        table = out.with_name(f"{out.name}.scores.parquet")
        write_parquet(result.table, table)
        say(_summary(result))
        say(f"scores: {table}")
    if errors is not None:
        write_tsv(result.errors, errors)
        say(f"missed: {len(result.errors)} gold pairs in {errors}")
    kept = f"score ≥ {result.threshold:.6g}"
    if result.threshold == -float("inf"):
        kept = "no threshold applied; typical ratio margins are 1.04 to 1.10, --threshold sets one"
    say(f"pairs: {len(result.pairs)} in {out} (layer {result.layer}, {kept})")


def _summary(result: "MineResult") -> str:
    """Return a line a layer, then what was chosen and the thinned haystacks."""
    table = result.table
    first = table.iloc[0]
    oracle = "oracle_" if table["measure"].str.contains("oracle").any() else ""
    lines = [
        f"{first['corpus']}/{first['split']} {first['source']}-{first['target']}: {first['n']} source "
        f"sentences report, {first['candidates']} target sentences",
        f"{'layer':>5} {'P':>6} {'R':>6} {oracle.replace('_', ' ')}F1 {'95 % interval':>16} {'AP':>6} "
        f"{'P at R .9':>9} {'ceiling':>8}",
    ]
    for layer, part in table.groupby("layer", sort=True):
        rows = part.set_index("measure")
        f1 = rows.loc[f"mining_{oracle}f1"]
        lines.append(
            f"{layer:>5} {rows.loc[f'mining_{oracle}precision', 'value']:>6.3f} "
            f"{rows.loc[f'mining_{oracle}recall', 'value']:>6.3f} {f1['value']:.3f} "
            f"{_interval(f1):>16} {rows.loc['mining_average_precision', 'value']:>6.3f} "
            f"{rows.loc['mining_precision@recall0.9', 'value']:>9.3f} "
            f"{rows.loc['mining_recall_ceiling', 'value']:>8.3f}"
        )
    for name, what in (
        ("mining_auto_", "layer chosen too"),
        ("", "thinned to 1/2"),
        ("", "thinned to 1/4"),
    ):
        share = what[-4:].strip() if not name else ""
        wanted = f"{name or 'mining_'}{oracle}f1" + (f"@{share}" if share else "")
        for _, row in table[table["measure"] == wanted].iterrows():
            lines.append(f"{what}: layer {row['layer']}, F1 {row['value']:.3f} {_interval(row)}")
    if oracle:
        lines.append(
            "oracle: the threshold was chosen on the sentences it is judged on, so it is too good"
        )
    return "\n".join(lines)


def _interval(row: "pd.Series") -> str:
    return f"{row['low']:.3f} to {row['high']:.3f}" if row["low"] == row["low"] else ""
