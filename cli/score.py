"""`crosslingual score`: the main job."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import options
from .own_files import own_files

if TYPE_CHECKING:
    import pandas as pd

    from ..data import Bitext, GoldBitext

_Option = typer.Option


def score(
    checkpoint: options.CheckpointArgument,
    corpus: Annotated[
        str,
        _Option(help="pocket, tatoeba, flores[/dev], ntrex, pud, words, lareqa; files: your own."),
    ] = "pocket",
    data_dir: options.DataDir = None,
    languages: options.Languages = "all",
    pivot: Annotated[str, _Option(help="The target language.")] = "en",
    pairs: Annotated[str | None, _Option(help="Instead of a pivot: de-fr,ru-zh or all.")] = None,
    layers: options.Layers = "all",
    pooling: Annotated[
        str,
        _Option(help="mean, first, last, max, weighted, native, …; several by commas."),
    ] = "mean",
    maps: options.Maps = "none",
    map_fit: options.MapFit = "",
    measures: Annotated[
        str,
        _Option(help="Names or families by commas, all; by default the first of each family."),
    ] = "default",
    protocol: Annotated[
        str,
        _Option(
            help="laser, xtreme, xtreme-r, jiant, mteb, mexa, …: see `crosslingual list protocols`."
        ),
    ] = "",
    out: Annotated[Path | None, _Option(help="Run folder.  [default: runs/CHECKPOINT-CORPUS]")] = None,
    store: options.Store = None,
    no_store: options.NoStore = False,
    store_dtype: Annotated[str, _Option(help="float32 or float16 on disk.")] = "float32",
    dtype: options.Dtype = "float32",
    max_length: options.MaxLength = None,
    prefix: options.Prefix = "",
    revision: options.Revision = None,
    device: options.Device = "auto",
    device_map: Annotated[str | None, _Option(help="auto: spread over several devices.")] = None,
    batch_tokens: options.BatchTokens = None,
    allow_pickle: Annotated[bool, _Option("--allow-pickle", help="Read pickled weights.")] = False,
    duplicates: Annotated[
        str, _Option(help="class: retrieving an identical text is right; index: it is not.")
    ] = "class",
    resample: Annotated[
        str, _Option(help="group: intervals over documents where known; sentence.")
    ] = "group",
    null: Annotated[
        str,
        _Option(help="Re-paired at random: shuffle (all), length (a decile), document (within one)."),
    ] = "shuffle",
    random_twin: Annotated[
        bool, _Option("--random-twin", help="Score 3 randomly initialised twins too: column random.")
    ] = False,
    limit: options.Limit = None,
    seed: Annotated[int, _Option(help="Of the bootstrap.")] = 0,
    family: Annotated[str | None, _Option(help="Column of the table.")] = None,
    stage: Annotated[str | None, _Option(help="pretrained, intermediate or target.")] = None,
    recipe: Annotated[str | None, _Option(help="Column of the table.")] = None,
    train_seed: Annotated[int | None, _Option(help="Column of the table.")] = None,
    source_file: Annotated[Path | None, _Option(help="files: one sentence a line.")] = None,
    target_file: Annotated[Path | None, _Option(help="files: its translations.")] = None,
    group_file: Annotated[Path | None, _Option(help="files: the document of each line.")] = None,
    gold_file: Annotated[
        Path | None, _Option(help="files: pairs of line numbers by tab, many-to-many; any lengths.")
    ] = None,
    alignment_file: Annotated[
        Path | None, _Option(help="files: word alignments (0-0 1-2); scores words in context.")
    ] = None,
    lexicon: Annotated[
        Path | None, _Option(help="files: words and translations, by tab, instead of sentences.")
    ] = None,
    source_language: Annotated[str | None, _Option(help="files: code of the source.")] = None,
    target_language: Annotated[str | None, _Option(help="files: code of the target.")] = None,
    table: Annotated[Path | None, _Option(help="files: a .tsv, .csv or .jsonl instead.")] = None,
    source_column: Annotated[str | None, _Option(help="files: column of the table.")] = None,
    target_column: Annotated[str | None, _Option(help="files: column of the table.")] = None,
    id_column: Annotated[str | None, _Option(help="files: column of the table.")] = None,
    group_column: Annotated[str | None, _Option(help="files: column of the table.")] = None,
    hard_negatives: Annotated[
        Path | None, _Option(help="More candidates: sentences of the target's language (xsim++).")
    ] = None,
    errors: Annotated[
        bool, _Option("--errors", help="Write what was retrieved instead of missed translations.")
    ] = False,
    as_json: Annotated[bool, _Option("--json", help="Print the table as JSON lines.")] = False,
) -> None:
    """Score a checkpoint on a corpus: every layer, every language, with floors and intervals.

    crosslingual score sentence-transformers/LaBSE --corpus flores --data-dir data --languages de,sw

    crosslingual score ./model --corpus files --source-file news.de --target-file news.en
    --source-language de --target-language en
    """
    where: str | list[Bitext | GoldBitext] = corpus
    if corpus == "files":
        where = [
            own_files(
                files=(source_file, target_file),
                beside={
                    "groups": group_file,
                    "pairs": gold_file,
                    "alignment": alignment_file,
                    "lexicon": lexicon,
                },
                languages=(source_language, target_language),
                table=table,
                columns=(source_column, target_column, id_column, group_column),
                limit=limit,
                seed=seed,
            )
        ]
    elif any((source_file, target_file, table, group_file, gold_file, alignment_file, lexicon)):
        raise ValueError("files of your own go with --corpus files")
    found, folder = run_score(
        checkpoint,
        where,
        out=out,
        opening={
            "revision": revision,
            "dtype": dtype,
            "max_length": max_length,
            "prefix": prefix,
            "device": device,
            "device_map": device_map,
            "allow_pickle": allow_pickle,
        },
        data_dir=data_dir,
        languages=languages,
        pivot=pivot,
        pairs=pairs,
        limit=None if corpus == "files" else limit,  # read with it
        errors=errors,
        hard_negatives=hard_negatives,
        store=store,
        keep=not no_store,
        budget=batch_tokens,
        layers=layers,
        pooling=pooling,
        maps=maps,
        map_fit=map_fit,
        measures=measures,
        protocol=protocol,
        duplicates=duplicates,
        resample=resample,
        null=null,
        random_twin=random_twin,
        seed=seed,
        family=family,
        stage=stage,
        recipe=recipe,
        train_seed=train_seed,
        store_dtype=store_dtype,
    )
    if as_json:
        typer.echo(found.to_json(orient="records", lines=True, force_ascii=False), nl=False)
        return
    from ..alignment.ladder import RUNGS
    from ..alignment.run import read_scores
    from .summary import ladder, over_layers, summary
    from .tsv import write_tsv

    typer.echo(summary(found))
    if set(RUNGS) <= set(found["map"]):
        typer.echo(ladder(read_scores(folder / "decomposition.parquet"), found))
    if protocol == "mexa":
        typer.echo(over_layers(read_scores(folder / "aggregates.parquet")))
    typer.echo(f"table: {folder / 'scores.parquet'}")
    if errors:
        missed = read_scores(folder / "errors.parquet")
        write_tsv(missed, folder / "errors.tsv")
        typer.echo(f"errors: {len(missed)} missed translations in {folder / 'errors.tsv'}")


def run_score(
    checkpoint: str,
    corpus: "str | list[Bitext | GoldBitext]",
    *,
    out: Path | None,
    opening: dict[str, Any],
    **chosen: Any,
) -> "tuple[pd.DataFrame, Path]":
    """Score with notes and progress on stderr; return the table and the run folder."""
    from ..alignment.score import score as compute
    from .progress import configure_notes, progress

    configure_notes()
    model = options.opened(checkpoint, **opening)
    name = corpus if isinstance(corpus, str) else "files"
    folder = out or Path("runs") / f"{Path(checkpoint).name}-{name.replace('/', '-')}"
    with progress("encoding", "sentences") as encoded, progress("scoring", "cells") as scored:
        table = compute(
            model,
            corpus,
            out=folder,
            progress=encoded,
            cell_done=scored,
            **chosen,
        )
    return table, folder
