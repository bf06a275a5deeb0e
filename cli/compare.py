"""`crosslingual compare`: grids of a measure between layers, languages, checkpoints."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import options

if TYPE_CHECKING:
    import pandas as pd

    from ..alignment.checkpoint import Checkpoint

_Option = typer.Option


def compare(
    checkpoint: Annotated[
        str, typer.Argument(help=options.MODEL + " With --published: a run folder of `score`.")
    ],
    other: Annotated[
        str | None, typer.Argument(help="A second checkpoint, on the same sentences.")
    ] = None,
    corpus: Annotated[str, _Option(help="pocket, tatoeba, flores[/dev], ntrex, pud.")] = "pocket",
    data_dir: options.DataDir = None,
    languages: options.Languages = "all",
    pivot: Annotated[str, _Option(help="The language they are joined to.")] = "en",
    measure: Annotated[
        str, _Option(help="One with a grid; see `crosslingual list measures`.")
    ] = "debiased_linear_cka",
    between: Annotated[
        str, _Option(help="layers, languages (at each layer), or all (languages × layers).")
    ] = "layers",
    sides: Annotated[
        str | None,
        _Option(
            help="Of layers: translations, or same sentences.  [default: same with two checkpoints]"
        ),
    ] = None,
    layers: options.Layers = "all",
    pooling: options.Pooling = "mean",
    maps: options.InSampleMaps = "none",
    map_fit: options.InSample = "",
    intervals: Annotated[bool, _Option("--intervals", help="Of every cell (slow).")] = False,
    permutations: Annotated[
        int, _Option(help="Re-pairings for p-values that hold for all cells together.", min=0)
    ] = 0,
    memory: Annotated[float, _Option(help="Gigabytes that a grid may take.", min=0.001)] = 2.0,
    precision: Annotated[str, _Option(help="float64, or float32 within a stated bound.")] = "float64",
    out: Annotated[
        Path | None, _Option(help="Run folder.  [default: runs/compare-CHECKPOINT-CORPUS]")
    ] = None,
    figure: Annotated[
        list[Path] | None, _Option(help="File(s), .png .svg .pdf.  [default: OUT/figures/…png]")
    ] = None,
    store: options.Store = None,
    dtype: options.Dtype = "float32",
    max_length: options.MaxLength = None,
    prefix: options.Prefix = "",
    device: options.Device = "auto",
    limit: options.Limit = None,
    seed: Annotated[int, _Option(help="Of re-pairings and halves.")] = 0,
    published: Annotated[
        Path | None,
        _Option(help="Instead: set a run's scores beside these, MTEB's .json or a .tsv."),
    ] = None,
    tolerance: Annotated[float, _Option(help="Of --published.", min=0)] = 0.002,
    as_json: Annotated[bool, _Option("--json", help="Print the table as JSON lines.")] = False,
) -> None:
    """Compare representations: layers, languages, or two checkpoints; with null, z and q.

    crosslingual compare ./base ./fine-tuned --corpus flores --data-dir data --languages de,sw

    crosslingual compare ./model --between languages --layers last --measure procrustes_similarity

    crosslingual compare runs/model-tatoeba --published Tatoeba.json
    """
    if published is not None:
        _beside(Path(checkpoint), published, tolerance)
        return
    from ..alignment.compare import compare as compute
    from ..analysis.figures import save
    from ..analysis.grids import grid_heatmap
    from .progress import configure_notes, progress

    configure_notes()
    opening: dict[str, Any] = {
        "dtype": dtype,
        "max_length": max_length,
        "prefix": prefix,
        "device": device,
    }

    def opened(name: str) -> "str | Checkpoint":
        return options.opened(name, **opening)

    names = "-".join(Path(one).name for one in (checkpoint, other) if one is not None)
    folder = out or Path("runs") / f"compare-{names}-{corpus.replace('/', '-')}"
    with progress("encoding", "sentences") as encoded, progress("comparing", "grids") as compared:
        table = compute(
            opened(checkpoint),
            None if other is None else opened(other),
            corpus,
            data_dir=data_dir,
            languages=languages,
            pivot=pivot,
            limit=limit,
            out=folder,
            store=store,
            memory=int(memory * 1e9),
            device="cuda" if device.startswith("cuda") else "cpu",
            progress=encoded,
            cell_done=compared,
            measure=measure,
            between=between,
            sides=sides,
            layers=layers,
            pooling=pooling,
            maps=maps,
            map_fit=map_fit,
            intervals=intervals,
            permutations=permutations,
            precision=precision,
            seed=seed,
        )
    if as_json:
        typer.echo(table.to_json(orient="records", lines=True, force_ascii=False), nl=False)
        return
    typer.echo(summary(table))
    typer.echo(f"table: {folder / 'scores.parquet'}")
    for map_name, part in table.groupby("map", sort=False):
        places = figure or [folder / "figures" / f"{measure}-{between}-{map_name}.png"]
        if figure and table["map"].nunique() > 1:
            places = [path.with_stem(f"{path.stem}-{map_name}") for path in figure]
        for path in save(grid_heatmap(part), places):
            typer.echo(f"figure: {path}")


def _beside(run: Path, published: Path, tolerance: float) -> None:
    """Print our numbers beside published ones."""
    from ..alignment.published import beside, read_published
    from ..alignment.run import read_scores
    from .tsv import tsv

    both = beside(read_scores(run), read_published(published), tolerance)
    typer.echo(tsv(both), nl=False)
    worst = both.loc[both["difference"].abs().idxmax()]
    typer.echo(
        f"{both['within'].sum()} of {len(both)} within {tolerance:g}; greatest difference "
        f"{worst['difference']:+.2g} ({worst['subset']} {worst['measure']})",
        err=True,
    )


def summary(table: "pd.DataFrame") -> str:
    """Return a line per grid: its best cell, its diagonal, its null."""
    from ..alignment.measures import MEASURES
    from ..analysis.grids import between

    name = str(table["measure"].iloc[0])
    sign = 1 if MEASURES[name].higher_is_better else -1
    kind = between(table)
    keys = {"layers": ["map", "source", "target"], "languages": ["map", "layer"], "all": ["map"]}[kind]
    lines = [
        f"{name}; pooling {table['pooling'].iloc[0]}; n = {table['n'].iloc[0]:,}, "
        f"{table['groups'].iloc[0]:,} groups",
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
