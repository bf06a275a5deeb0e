"""`crosslingual erase`: what a layer still does once a concept is linearly gone from it."""

from pathlib import Path
from typing import Annotated

import typer

from . import options


def erase(
    checkpoint: options.EncoderArgument,
    task: Annotated[str, typer.Option(help="Whose labels are erased (list probes).")] = "language",
    train: Annotated[str, typer.Option(help="Whose examples tell them; of language: all.")] = "en",
    pivot: Annotated[str, typer.Option(help="Language that the others' sentences retrieve.")] = "en",
    languages: Annotated[str, typer.Option(help="Those there are examples of.")] = "all",
    layers: Annotated[str, typer.Option(help="all, last, or 0,4-6.")] = "all",
    pooling: Annotated[str, typer.Option(help="Of tokens into a vector.")] = "mean",
    corpus: Annotated[str, typer.Option(help="Parallel sentences of language and length.")] = "pocket",
    data_dir: options.DataDir = None,
    limit: Annotated[int | None, typer.Option(help="Examples of a part and language.")] = None,
    seed: Annotated[int, typer.Option(help="Of cuts, directions and resamples.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Run folder.  [default: runs/MODEL-erase-TASK]")
    ] = None,
    max_length: options.MaxLength = None,
    store: options.Store = None,
    device: options.Device = "auto",
) -> None:
    """Erase a concept linearly (LEACE) from every layer; probe again, retrieve translations again.

    crosslingual erase ./my-model --corpus flores --data-dir ./corpora
    """
    from .progress import configure_notes, progress

    configure_notes()
    from ..alignment.checkpoint import open_checkpoint
    from ..analysis.figures import save
    from ..probes.erasing import erase as erased

    model = open_checkpoint(checkpoint, device=device, max_length=max_length)
    folder = out or Path("runs") / f"{Path(model.name).name}-erase-{task}"
    with progress("encoding", "sentences") as encoding, progress("erasing", "layers") as erasing:
        found = erased(
            model, task, train=train, pivot=pivot, layers=layers, pooling=pooling, seed=seed, out=folder,
            store=store, progress=encoding, layer_done=erasing, languages=languages, data_dir=data_dir,
            corpus=corpus, limit=limit,
        )  # fmt: skip
    frame = found.to_frame()
    gone = frame[frame["erased"] == "leace"].iloc[0]
    typer.echo(
        f"{gone['task']}: {gone['rank']} directions erased, fitted on {gone['n_train']} examples; best "
        f"constant answer {frame['majority'].mean():.3f}; means over {frame['test'].nunique()} languages"
    )
    typer.echo(found.summary().to_string(float_format=lambda value: f"{value:.3f}"))
    for path in save(found.figure(), [folder / "figures" / f"{task}-erased.png"]):
        typer.echo(f"figure: {path}")
    typer.echo(f"table: {folder / 'erasure.parquet'}")
