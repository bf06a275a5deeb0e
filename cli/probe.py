"""`crosslingual probe`: what each layer knows, and whether it is read in other languages."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import options

if TYPE_CHECKING:
    import pandas as pd


def probe(
    checkpoint: options.CheckpointArgument,
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
        str, typer.Option("--map", help="Of vectors, fitted on training examples of both languages.")
    ] = "none",
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
            model, task, train=train, layers=layers, pooling=pooling, map_name=map_name,
            family=family, controls=controls, codelength=codelength, seed=seed, out=folder, store=store,
            progress=encoding, layer_done=probing, languages=languages, data_dir=data_dir,
            corpus=corpus, table=table, limit=limit,
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
    typer.echo(f"{head['task']}, learnt in {head['train']}, layer {layer} (least loss on dev)")
    typer.echo(f"  {'':<8}{'accuracy':>9}  {'95 % interval':<18}{'majority':>9}{'n-grams':>9}"
               f"{'control':>9}{'ceiling':>9}  gap")  # fmt: skip
    for row in chosen.to_dict("records"):
        own = row["ceiling"] == row["ceiling"]
        gap = f"{row['gap']:+.3f} ({row['gap_low']:+.3f} to {row['gap_high']:+.3f})" if own else "–"
        interval = f"({row['accuracy_low']:.3f} to {row['accuracy_high']:.3f})"
        ceiling = f"{row['ceiling']:.3f}" if own else "–"
        typer.echo(
            f"  {row['test']:<8}{row['accuracy']:>9.3f}  {interval:<18}{row['majority']:>9.3f}"
            f"{row['surface']:>9.3f}{row['control']:>9.3f}{ceiling:>9}  {gap}"
        )
    for row in chosen.dropna(subset="bits").to_dict("records") if "bits" in chosen else []:
        typer.echo(
            f"  codelength ({row['test']}): {row['bits']:.3f} bits a label, compression "
            f"{row['compression']:.2f}, against the labels' frequencies "
            f"{row['compression_of_marginal']:.2f}"
        )
    loose = int((~rows["converged"]).sum())
    if loose:
        typer.echo(f"  {loose} probes did not converge")
