"""`crosslingual study`: a whole study from one file."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ...analysis.study.options import StudyOptions
from ..generate import command
from ..messages import say

app = typer.Typer(
    no_args_is_help=True, help="Is alignment retained across scales? run, validate, status, template."
)
FileArgument = Annotated[Path, typer.Argument(help="A YAML file; `study template` prints one.")]


@app.command()
@command
def run(file: FileArgument, options: StudyOptions) -> None:
    """Make and score every checkpoint of a study, and say what was found; a stopped one goes on.

    crosslingual study run studies/pocket-quick.yaml --data-dir data --out runs/quick
    """
    from ...analysis.study.studying import study
    from ..progress import reported

    with reported() as progress:
        result = study(file, **{**vars(options), "progress": progress})
    say(result.in_words())
    say(f"tables: {result.folder}/retention.parquet, recipes, scaling, scores")
    say(f"next: crosslingual report {result.folder}")


@app.command()
@command
def validate(file: FileArgument, options: StudyOptions) -> None:
    """Check a study, and say what it takes and what it cannot show, before anything is run."""
    from ...analysis.study.costs import validated
    from ..progress import reported

    with reported() as progress:
        for line in validated(file, replace(options, progress=progress)):
            say(line)


@app.command()
def status(folder: Annotated[Path, typer.Argument(help="Folder of a study.")]) -> None:
    """Say what of a study is finished, what failed, and what was found."""
    from ...analysis.study.status import status_of

    for line in status_of(folder):
        say(line)


@app.command()
def template(
    schema: Annotated[bool, typer.Option(help="Print the JSON schema instead, for an editor.")] = False,
) -> None:
    """Print a study to begin with, every field explained."""
    import json

    from ...analysis.study.spec import Study
    from ...analysis.study.template import TEMPLATE
    from ...data.settings_file import schema_of

    say(json.dumps(schema_of(Study), indent=1) if schema else TEMPLATE, nl=schema)
