"""`crosslingual compare`: grids of a measure between layers, languages, checkpoints."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...alignment.grids.options import CompareOptions
from ..generate import command
from ..messages import say
from ..shared import CheckpointArgument, Json, run_folder

if TYPE_CHECKING:
    import pandas as pd


@command
def compare(
    checkpoint: CheckpointArgument,
    options: CompareOptions,
    other: Annotated[
        str | None, typer.Argument(help="A second checkpoint, on the same sentences.")
    ] = None,
    figure: Annotated[
        list[Path] | None, typer.Option(help="File(s), .png .svg .pdf.  [default: OUT/figures/…png]")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare representations: layers, languages, or two checkpoints; with null, z and q.

    crosslingual compare ./base ./fine-tuned --corpus flores --data-dir data --languages de,sw

    crosslingual compare ./model --between languages --layers last --measure procrustes_similarity
    """
    from ...alignment.drawing import save
    from ...analysis.results import compare as compared
    from ..progress import reported

    names = "-".join(Path(one).name for one in (checkpoint, other) if one is not None)
    folder = run_folder(options.out, f"compare-{names}", str(options.corpus).replace("/", "-"))
    with reported() as progress:
        settings = {**vars(options), "other": other, "out": folder, "progress": progress}
        result = compared(checkpoint, **settings)
    if as_json:
        say(result.table.to_json(orient="records", lines=True, force_ascii=False), nl=False)
        return
    say(grid_summary(result.table))
    say(f"table: {folder / 'scores.parquet'}")
    maps = list(dict.fromkeys(result.table["map"]))
    for name in maps:
        places = figure or [folder / "figures" / f"{options.measure}-{options.between}-{name}.png"]
        if figure and len(maps) > 1:
            places = [path.with_stem(f"{path.stem}-{name}") for path in figure]
        for path in save(result.heatmap(name), places):
            say(f"figure: {path}")


def grid_summary(table: "pd.DataFrame") -> str:
    """Return a line per grid: its best cell, its diagonal, its null."""
    from ...alignment.measures import MEASURES
    from ...analysis.figures.grids import between

    name = str(table["measure"].iloc[0])
    sign = 1 if MEASURES[name].higher_is_better else -1
    kind = between(table)
    keys = {"layers": ["map", "source", "target"], "languages": ["map", "layer"], "all": ["map"]}[kind]
    lines = [
        f"{name}; pooling {table['pooling'].iloc[0]}; n = {table['n'].iloc[0]:,}, "
        f"{table['groups'].iloc[0]:,} groups",
        *_diagonals(table),
        f"{'grid':<28} {'cells':>6} {'best cell':>22} {'value':>8} {'z':>8} {'null':>8} {'q < .05':>8}",
    ]
    for key, part in table.groupby(keys, sort=False):
        there = part.dropna(subset=["value"])
        # a representation is always like itself: that cell is no finding
        itself = (
            (there["source"] == there["target"])
            & (there["layer"] == there["other_layer"])
            & (there["checkpoint"] == there["other_checkpoint"])
        )
        there = there[~itself]
        label = " ".join(str(part_of_key) for part_of_key in key)
        if there.empty:
            lines.append(f"{label:<28} {len(part):>6} no cell has a value: {part['note'].iloc[0]}")
            continue
        best = there.loc[(sign * there["value"]).idxmax()]
        cell = f"{best['source']} {best['layer']} – {best['target']} {best['other_layer']}"
        lines.append(
            f"{label:<28} {len(part):>6} {cell:>22} {best['value']:>8.4f} {best['z']:>8.1f} "
            f"{best['null']:>8.4f} {(there['q'] < 0.05).mean():>8.0%}"
        )
    lines.append(
        "best cell: chosen on these sentences. null: randomly re-paired. q: false discovery rate."
    )
    return "\n".join(lines)


def _diagonals(table: "pd.DataFrame") -> list[str]:
    """Return how similar each layer of one checkpoint is to the same one of another; else nothing."""
    if (table["checkpoint"] == table["other_checkpoint"]).all():
        return []
    same = table[(table["source"] == table["target"]) & (table["layer"] == table["other_layer"])]
    lines = []
    for (name, map_name), part in same.groupby(["source", "map"], sort=False):
        values = ", ".join(f"{row.layer}: {row.value:.3f}" for row in part.itertuples())
        lines.append(f"{name}, map {map_name}, each layer with itself in the other: {values}")
    return lines
