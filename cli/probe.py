"""`crosslingual probe`: what each layer knows, and whether it is read in other languages."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import options

if TYPE_CHECKING:
    import pandas as pd


def probe(
    checkpoint: options.EncoderArgument,
    task: Annotated[
        str, typer.Option(help="pos, ner, number, topic, nli … (list probes); any name with --table.")
    ] = "length",
    train: Annotated[
        str, typer.Option(help="Languages fitted on, each for itself; all: on all at once.")
    ] = "en",
    languages: Annotated[str, typer.Option(help="Those there are examples of.")] = "all",
    layers: Annotated[str, typer.Option(help="all, last, or 0,4-6.")] = "all",
    pooling: Annotated[str, typer.Option(help="Of tokens into a vector.")] = "mean",
    map_name: Annotated[
        str, typer.Option("--map", help="Of vectors into the space of the language trained on.")
    ] = "none",
    map_fit: Annotated[
        str,
        typer.Option(help="Parallel text it is fitted on: CORPUS/split.  [default: training examples]"),
    ] = "",
    corpus: Annotated[str, typer.Option(help="Parallel sentences of language and length.")] = "pocket",
    table: Annotated[
        Path | None, typer.Option(help="Your examples: .tsv of language, group, text (text2), label.")
    ] = None,
    data_dir: options.DataDir = None,
    limit: Annotated[
        int | None,
        typer.Option(help="Examples of a part and language.  [default: all; of words 1,000 sentences]"),
    ] = None,
    family: Annotated[str, typer.Option(help="linear, ridge (a first look), mlp.")] = "linear",
    controls: Annotated[
        int | None, typer.Option(help="Label sets with nothing to find.  [default: 20; of words 5]")
    ] = None,
    codelength: Annotated[
        bool, typer.Option("--codelength", help="Bits of the training labels, sent block by block.")
    ] = False,
    random_twin: Annotated[
        bool, typer.Option("--random-twin", help="Probe three untrained copies of the model, too.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of cuts, permutations and resamples.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Run folder.  [default: runs/MODEL-probe-TASK]")
    ] = None,
    max_length: options.MaxLength = None,
    store: options.Store = None,
    device: options.Device = "auto",
) -> None:
    """Probe every layer: fitted in one language, tested in all, beside in-language probes and floors.

    crosslingual probe ./my-model --task topic --data-dir ./corpora
    """
    from .progress import configure_notes, progress

    configure_notes()
    from ..alignment.checkpoint import open_checkpoint
    from ..analysis.figures import save
    from ..probes.probing import probe as probed

    model = open_checkpoint(checkpoint, device=device, max_length=max_length)
    folder = out or Path("runs") / f"{Path(model.name).name}-probe-{task}"
    with progress("encoding", "sentences") as encoding, progress("probing", "layers") as probing:
        found = probed(
            model, task, train=train, layers=layers, pooling=pooling, map_name=map_name, map_fit=map_fit,
            family=family, controls=controls, codelength=codelength, random_twin=random_twin,
            seed=seed, out=folder, store=store, progress=encoding, layer_done=probing,
            languages=languages, data_dir=data_dir, corpus=corpus, table=table, limit=limit,
        )  # fmt: skip
    frame = found.to_frame()
    for one in dict.fromkeys(frame["train"]):
        _show(frame[frame["train"] == one], found.best_layer(one))
        for path in save(found.heatmap(one), [folder / "figures" / f"{task}-{one}.png"]):
            typer.echo(f"figure: {path}")
    if frame["train"].nunique() > 1:
        typer.echo(found.transfer_matrix().to_string(float_format=lambda value: f"{value:.3f}"))
    typer.echo(f"table: {folder / 'probes.parquet'}")


def _show(rows: "pd.DataFrame", layer: int) -> None:
    """Print a line a language, at the layer of least loss on dev."""
    chosen = rows[rows["layer"] == layer]
    head = chosen.iloc[0]
    trees = head["metric"] != "accuracy"
    floors = {"majority": "next word" if trees else "majority", "surface": "n-grams"}
    floors |= {"control": "control", "random": "random", "spearman": "Spearman"}
    shown = {
        name: title for name, title in floors.items() if name in chosen and chosen[name].notna().any()
    }
    typer.echo(f"{head['task']}, learnt in {head['train']}, layer {layer} (least loss on dev)")
    typer.echo(
        f"  {'':<8}{head['metric']:>9}  {'95 % interval':<18}"
        + "".join(f"{title:>10}" for title in (*shown.values(), "ceiling"))
        + "  gap"
    )
    for row in chosen.to_dict("records"):
        gap = f"{row['gap']:+.3f} ({row['gap_low']:+.3f} to {row['gap_high']:+.3f})"
        interval = f"({row['accuracy_low']:.3f} to {row['accuracy_high']:.3f})"
        beside = "".join(f"{_number(row[name]):>10}" for name in (*shown, "ceiling"))
        own = row["ceiling"] == row["ceiling"]
        typer.echo(
            f"  {row['test']:<8}{row['accuracy']:>9.3f}  {interval:<18}{beside}  {gap if own else '–'}"
        )
    for row in chosen.dropna(subset="selectivity").to_dict("records"):
        typer.echo(
            f"  selectivity ({row['test']}): {row['selectivity']:.3f} "
            f"({row['selectivity_low']:.3f} to {row['selectivity_high']:.3f})"
        )
    for row in chosen.dropna(subset="bits").to_dict("records") if "bits" in chosen else []:
        typer.echo(
            f"  codelength ({row['test']}): {row['bits']:.3f} bits a label, compression "
            f"{row['compression']:.2f}, against the labels' frequencies "
            f"{row['compression_of_marginal']:.2f}"
        )
    above = int((rows["q"] < 0.05).sum())
    typer.echo(f"  above its floors in {above} of {len(rows)} languages and layers (q < 0.05)")
    loose = int((~rows["converged"]).sum())
    if loose:
        typer.echo(f"  {loose} probes did not converge")


def _number(value: float) -> str:
    return f"{value:.3f}" if value == value else "–"
