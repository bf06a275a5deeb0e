"""`crosslingual average`: XTREME's and XTREME-R's scores of what was tested."""

from pathlib import Path
from typing import Annotated

import typer

from ..generate import FLAGS
from ..messages import say

FLAGS["partial"] = "--partial"


def average(
    suite: Annotated[str, typer.Argument(help="xtreme or xtreme-r.")],
    paths: Annotated[
        list[Path],
        typer.Argument(
            help="Folders of `train` (zero-shot tests), of `score --corpus tatoeba --protocol SUITE` "
            "and `--corpus lareqa --measures map@20`; .tsv files: task, language, metric, value."
        ),
    ],
    partial: Annotated[
        bool, typer.Option(help="Average what there is, and say what is missing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Average tasks and languages as a benchmark does; not over an incomplete set, unless --partial.

    crosslingual average xtreme runs/nli/target runs/pos/target runs/tatoeba bucc.tsv --partial
    """
    import json

    from ...analysis.suites import average as averaged
    from ...analysis.suites import read_suite

    table = averaged(suite, read_suite(suite, paths), partial=partial)
    if as_json:
        say(json.dumps(table.to_dict("records"), indent=1))
        return
    for row in table.to_dict("records"):
        notes = f"  missing: {row['missing']}" if row["missing"] else ""
        notes += "  LEAKS" if row["leaks"] else ""
        value = f"{row['value']:.4f}" if row["languages"] else "–"
        say(f"{row['task']:<10}{value:>8}  {row['languages']:>3} languages{notes}")
