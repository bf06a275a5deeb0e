"""`crosslingual transfer`: does alignment go with task scores?"""

import re
from pathlib import Path
from typing import Annotated

import typer

from ...analysis.transfer.options import TransferOptions
from ..generate import command
from ..messages import say


@command
def transfer(
    runs: Annotated[list[Path], typer.Argument(help="Run folders of `score`, or their tables.")],
    options: TransferOptions,
) -> None:
    """Relate alignment to task scores: across languages, across checkpoints, and of their changes.

    crosslingual transfer runs/base runs/tuned --tasks results/ --base ./my-model --out runs/transfer

    crosslingual transfer runs/study/scores.parquet --tasks tasks.tsv --measure mrr --layer 8
    """
    from ...alignment.drawing import save
    from ...analysis.transfer.relating import in_words
    from ...analysis.transfer.relating import transfer as relate

    result = relate(runs, **vars(options))
    points = result.points
    counts = [f"{points[name].nunique()} {name}s" for name in ("checkpoint", "language", "task")]
    say(f"{len(points)} points: {', '.join(counts)}; English is left out")
    for line in in_words(result.table, points):
        say(line)
    if options.out is not None:
        say(f"tables: {Path(options.out) / 'transfer.parquet'}, points.parquet")
        for task in map(str, dict.fromkeys(points["task"])):
            path = Path(options.out) / (re.sub(r"[^\w.-]+", "-", task) + ".png")
            for written in save(result.scatter(task), [path]):
                say(f"figure: {written}")
