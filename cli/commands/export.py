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
        list[Path], typer.Argument(help="Run folders of `score`, or their tables; one a checkpoint.")
    ],
    options: ExportOptions,
    latex: Annotated[Path | None, typer.Option(help="Write a table for LaTeX (booktabs) there.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write a table in Markdown there.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write all scores, all columns, there.")] = None,
    mteb: Annotated[
        Path | None, typer.Option(help="Write MTEB's result file there (of --protocol mteb).")
    ] = None,
) -> None:
    """Write runs as tables for a paper, or in others' formats.

    crosslingual export runs/base runs/tuned --latex table.tex --markdown table.md

    crosslingual export runs/model-tatoeba --mteb Tatoeba.json
    """
    from ...alignment.runs.files import write_text
    from ...alignment.runs.folder import read_scores
    from ...alignment.runs.table import concatenate
    from ...analysis.tables.layout import paper_table
    from ...analysis.tables.published import mteb_result
    from ...analysis.tables.writing import latex as as_latex
    from ...analysis.tables.writing import markdown as as_markdown

    asked = {"latex": latex, "markdown": markdown, "csv": csv, "mteb": mteb}
    if not any(asked.values()):
        raise ValueError("name what to write: --latex, --markdown, --csv or --mteb FILE")
    tables = [read_scores(run) for run in runs]
    made: dict[Path, tuple[str, str]] = {}
    if latex is not None or markdown is not None:
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
    for path, (text, what) in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
        say(f"{what} in {path}")
