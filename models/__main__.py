"""`python -m crosslingual.models DATA`: makes the family once more.

Leaves under --out: `made/` with every encoder in float32, `pocket-*/` as they come with the package, and
`curves.tsv`, what all of them do by layer and language.
"""

import os
from pathlib import Path
from typing import Annotated

import typer

from ..cli.messages import say


def main(
    data: Annotated[Path, typer.Argument(help="Folder that holds the corpora of the recipe.")],
    out: Annotated[Path, typer.Option(help="Folder for what is made.")] = Path("runs/family"),
    only: Annotated[str, typer.Option(help="Encoders by commas, e.g. pocket-xs,pocket-xs-seed1.")] = "",
    processes: Annotated[int, typer.Option(help="Encoders made at once.")] = os.cpu_count() or 1,
) -> None:
    """Make the built-in family: what is there already stays."""
    from ..data.nearest import closest
    from .family import Inputs, make_all, open_tokenizer
    from .recipe import SETTINGS, TRAIN, VARIANTS
    from .shipping import measure_all, ship
    from .text import read_rows

    named = {variant.name: variant for variant in VARIANTS}
    for name in filter(None, only.split(",")):
        if name not in named:
            raise typer.BadParameter(f"no encoder {name}: {closest(name, named)}")
    variants = [named[name] for name in only.split(",")] if only else list(VARIANTS)
    rows = read_rows(TRAIN, data)
    say(f"{len(rows)} rows, {sum(len(row.texts) for row in rows)} sentences")
    inputs = Inputs(rows, open_tokenizer(rows, out / "tokenizer"), SETTINGS, out / "made")
    for variant in make_all(inputs, variants, processes):
        say(f"{variant.name} is made")
    curves = measure_all(variants, data, out)
    for folder in ship(variants, curves, out):
        say(f"{folder}")


if __name__ == "__main__":
    typer.run(main)
