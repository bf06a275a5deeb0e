"""`crosslingual demo`: the main job on the built-in sentences and a small model."""

from pathlib import Path
from typing import Annotated

import typer

from ..messages import say

MEASURES = "retrieval,contrast,debiased_linear_cka"  # what is quick


def demo(
    out: Annotated[Path, typer.Option(help="Run folder.")] = Path("runs/demo"),
) -> None:
    """Score all-MiniLM-L6-v2 on the built-in sentences: 11 languages, all layers, a heatmap."""
    from ...alignment.checkpoints.builtin import builtin_model

    model = builtin_model()
    say("all-MiniLM-L6-v2 was trained on English: expect little alignment from it, mostly below")
    say("the surface floor (what character n-grams find without a model).")
    from ...alignment.drawing import save
    from ...analysis.results import score
    from ..progress import reported
    from ..summary import score_summary

    with reported() as progress:
        result = score(
            model, maps="none,centre", map_fit="in-sample", measures=MEASURES, out=out, progress=progress
        )
    say(score_summary(result.table))
    say(f"table: {out / 'scores.parquet'}")
    for path in save(result.heatmap(map="none"), [out / "figures" / "accuracy-mean.png"]):
        say(f"figure: {path}")
