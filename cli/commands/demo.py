"""`crosslingual demo`: the main job on the built-in sentences and a built-in model."""

from pathlib import Path
from typing import Annotated

import typer

from ..messages import say

MEASURES = "retrieval,contrast,debiased_linear_cka"  # what is quick


def demo(
    out: Annotated[Path, typer.Option(help="Run folder.")] = Path("runs/demo"),
) -> None:
    """Score pocket-s on the built-in sentences: 11 languages, all layers, a heatmap."""
    say("pocket-s comes with the package: a small encoder that was trained to align 12 languages.")
    from ...alignment.drawing import save
    from ...analysis.results import score
    from ..progress import reported
    from ..summary import score_summary

    with reported() as progress:
        result = score(
            "pocket-s",
            maps="none,centre",
            map_fit="in-sample",
            measures=MEASURES,
            out=out,
            progress=progress,
        )
    say(score_summary(result.table))
    say(f"table: {out / 'scores.parquet'}")
    for path in save(result.heatmap(map="none"), [out / "figures" / "accuracy-mean.png"]):
        say(f"figure: {path}")
