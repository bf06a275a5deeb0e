"""`crosslingual export`: a run in others' formats."""

import json
from pathlib import Path
from typing import Annotated

import typer

from ..messages import say


def export(
    run: Annotated[Path, typer.Argument(help="A run folder written by `score`, or its table.")],
    mteb: Annotated[
        Path | None, typer.Option(help="Write MTEB's result file there (of --protocol mteb).")
    ] = None,
) -> None:
    """Write a run in others' formats.

    crosslingual export runs/model-tatoeba --mteb Tatoeba.json
    """
    if mteb is None:
        raise ValueError("name what to write: --mteb FILE")
    from ...alignment.runs.files import write_text
    from ...alignment.runs.folder import read_scores
    from ...analysis.published import mteb_result

    result = mteb_result(read_scores(run))
    mteb.parent.mkdir(parents=True, exist_ok=True)
    write_text(mteb, json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    say(f"mteb: {sum(map(len, result['scores'].values()))} subsets in {mteb}")
