"""`crosslingual check`: a run's scores compared with published ones."""

from pathlib import Path
from typing import Annotated

import typer

from ..messages import say


def check(
    run: Annotated[Path, typer.Argument(help="A run folder of `score --protocol …`, or its table.")],
    published: Annotated[
        Path, typer.Option(help="MTEB's result file (.json), or a .tsv: subset, measure, value.")
    ],
    tolerance: Annotated[float, typer.Option(help="A difference up to this is within.", min=0)] = 0.002,
) -> None:
    """Compare a run's scores with published figures.

    crosslingual check runs/model-tatoeba --published Tatoeba.json
    """
    from ...alignment.runs.folder import read_scores
    from ...analysis.tables.published import compare_published, read_published
    from ..tsv import as_tsv

    both = compare_published(read_scores(run), read_published(published), tolerance)
    say(as_tsv(both), nl=False)
    worst = both.loc[both["difference"].abs().idxmax()]
    say(
        f"{both['within'].sum()} of {len(both)} within {tolerance:g}; greatest difference "
        f"{worst['difference']:+.2g} ({worst['subset']} {worst['measure']})",
        err=True,
    )
