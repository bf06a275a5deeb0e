"""`crosslingual export`: runs as tables for a paper, and in others' formats."""

import json
from pathlib import Path
from typing import Annotated

import typer

from ...analysis.tables.options import ExportOptions
from ..generate import command
from ..messages import say


@command
def export(
    runs: Annotated[
        list[Path],
        typer.Argument(help="Run folders of `score`, or their tables; a folder of `extract`."),
    ],
    options: ExportOptions,
    latex: Annotated[Path | None, typer.Option(help="Write a table for LaTeX (booktabs) there.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write a table in Markdown there.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write all scores, all columns, there.")] = None,
    mteb: Annotated[
        Path | None, typer.Option(help="Write MTEB's result file there (of --protocol mteb).")
    ] = None,
    hub_folder: Annotated[
        Path | None, typer.Option(help="Write a folder for the hub there: scores and card.")
    ] = None,
    projector: Annotated[
        Path | None, typer.Option(help="Write TensorBoard's two files of vectors there.")
    ] = None,
) -> None:
    """Write runs as tables for a paper, or in others' formats.

    crosslingual export runs/base runs/tuned --latex table.tex --markdown table.md

    crosslingual export runs/model-tatoeba --mteb Tatoeba.json

    crosslingual export vectors --layer 6 --projector projector
    """
    from ...alignment.runs.files import own_folder, write_parquet, write_text
    from ...alignment.runs.folder import read_scores
    from ...alignment.runs.table import concatenate
    from ...analysis.tables.hub_folder import CARD, hub_card, hub_scores, versions_of
    from ...analysis.tables.layout import paper_table
    from ...analysis.tables.projector import projector_files
    from ...analysis.tables.published import mteb_result
    from ...analysis.tables.writing import latex as as_latex
    from ...analysis.tables.writing import markdown as as_markdown

    tabular = {"latex": latex, "markdown": markdown, "csv": csv, "mteb": mteb, "hub-folder": hub_folder}
    if projector is not None:
        if any(tabular.values()) or len(runs) > 1:
            raise ValueError("--projector is of one folder of vectors, and goes with nothing else")
        for name, text in projector_files(runs[0], options.pooling, options.layer).items():
            projector.mkdir(parents=True, exist_ok=True)
            write_text(projector / name, text)
        say(f"vectors.tsv and metadata.tsv in {projector}: load them at projector.tensorflow.org")
        return
    if not any(tabular.values()):
        raise ValueError(
            f"name what to write: {', '.join(f'--{name}' for name in tabular)}, --projector"
        )
    tables = [read_scores(run) for run in runs]
    made: dict[Path, tuple[str, str]] = {}
    if latex is not None or markdown is not None or hub_folder is not None:
        table = paper_table(tables, options)
        for path, write in ((latex, as_latex), (markdown, as_markdown)):
            if path is not None:
                made[path] = write(table, options), f"{len(table.rows) - 1} pairs"
    if csv is not None:
        scores = concatenate(tables)
        made[csv] = scores.to_csv(index=False), f"{len(scores)} scores"
    if mteb is not None:
        result = mteb_result(concatenate(tables))
        text = json.dumps(result, indent=1, ensure_ascii=False) + "\n"
        made[mteb] = text, f"{sum(map(len, result['scores'].values()))} subsets"
    if hub_folder is not None:
        scores = hub_scores(concatenate(tables))
        own_folder(hub_folder)
        write_parquet(scores, hub_folder / "scores.parquet")
        card = hub_card(scores, table, versions_of(runs), options)
        made[hub_folder / CARD] = card, f"{len(scores)} scores and their card"
    for path, (text, what) in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
        say(f"{what} in {path}")
