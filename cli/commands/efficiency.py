"""`crosslingual efficiency`: what inference costs."""

from typing import Annotated

import typer

from ...analysis.efficiency.options import EfficiencyOptions
from ..generate import command
from ..messages import say
from ..shared import ENCODER, run_folder


@command
def efficiency(
    checkpoints: Annotated[
        list[str], typer.Argument(help=f"{ENCODER} Several: the others against the first.")
    ],
    options: EfficiencyOptions,
) -> None:
    """Time checkpoints side by side: is one slower, and what does a language cost?

    crosslingual efficiency ./my-model --corpus flores --data-dir data --languages de,sw,th

    crosslingual efficiency ./base ./tuned --corpus flores --data-dir data --align tatoeba

    crosslingual efficiency ./my-model --forms bfloat16,int8 --scenario single-stream
    """
    from ...alignment.drawing import save
    from ...analysis.efficiency import words
    from ...analysis.efficiency.measuring import efficiency as measured
    from ..progress import reported

    folder = run_folder(options.out, checkpoints[0], "efficiency")
    with reported() as progress:
        result = measured(checkpoints, **(vars(options) | {"out": folder, "progress": progress}))
    for part in (words.ratios_in_words, words.languages_in_words, words.checkpoints_in_words):
        for line in part(result):
            say(line)
    say(f"tables: {folder / 'ratios.parquet'}, checkpoints, languages, latency, samples")
    figures = {"forest": result.forest, "distributions": result.distributions}
    if "time_ratio" in result.languages:
        figures["premiums"] = result.premiums
    if options.align:
        figures["pareto"] = result.pareto
    for name, draw in figures.items():
        for path in save(draw(), [folder / "figures" / f"{name}-{options.scenario}.png"]):
            say(f"figure: {path}")
