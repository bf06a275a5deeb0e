"""`crosslingual retention`: what fine-tuning kept of a base checkpoint's alignment."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...analysis.options import RetentionOptions
from ..generate import command
from ..messages import say

if TYPE_CHECKING:
    import pandas as pd


@command
def retention(
    runs: Annotated[list[Path], typer.Argument(help="Run folders of fine-tuned checkpoints.")],
    options: RetentionOptions,
) -> None:
    """Compare a fine-tuned checkpoint with its base on the same sentences, layer by layer.

    crosslingual retention runs/tuned --base runs/base --measure mrr

    crosslingual retention runs/tuned --base runs/base --dev runs/tuned-dev --base-dev runs/base-dev \
        --margin 0.05
    """
    from ...analysis.results import retention as retained

    if len(runs) > 1 and (options.dev or options.out):
        raise ValueError("`dev` and `out` go with one run")
    for run in runs:
        folder = Path(options.out) if options.out is not None else run / "retention"
        result = retained(run, **vars(replace(options, out=folder)))
        if len(runs) > 1:
            say(f"{run}:")
        _report(result.table, options, folder)
        if len(result.parts):
            _show_parts(result.parts, options.measure, options.direction)


def _report(table: "pd.DataFrame", options: RetentionOptions, folder: Path) -> None:
    from ...alignment.drawing import save
    from ...alignment.runs.table import rows_of
    from ...analysis.retention.deltas import delta_heatmap, in_words

    chosen = {name: getattr(options, name) for name in ("pooling", "map")}
    shown = rows_of(table, options.measure, options.direction, **chosen)
    first = shown.iloc[0]
    measure, direction = first["measure"], first["direction"]
    last = shown[(shown["chosen"] == "equal") & (shown["layer"] == shown["layer"].max())]
    _show(last, f"{measure}, {direction}, at the last layer of both")
    _show(shown[shown["chosen"] == "best"], "each at its own best layer")
    say(in_words(last))
    say(f"table: {folder / 'retention.parquet'}")
    for path in save(delta_heatmap(shown), [folder / f"delta-{measure}-{direction}.png"]):
        say(f"figure: {path}")


def _show_parts(parts: "pd.DataFrame", measure: str, direction: str) -> None:
    """Say of what the changes at the last layer are made."""
    own = parts[(parts["measure"] == measure) & (parts["direction"].isin([direction, "both"]))]
    own = own[own["layer"] == own["layer"].max()]
    say("what the changes are made of, at the last layer")
    for (source, target), of_pair in own.groupby(["source", "target"], sort=False):
        name = source if source == target else f"{source}-{target}"
        said = [
            f"{row['part']} {row['delta']:+.3f} ({row['delta_low']:+.3f} to {row['delta_high']:+.3f})"
            for row in of_pair.to_dict("records")
            if row["part"] == "score" or row["delta_low"] > 0 or row["delta_high"] < 0
        ]
        say(f"  {name:<10}{', '.join(said)}")


def _show(rows: "pd.DataFrame", title: str) -> None:
    if rows.empty:
        return
    say(title)
    say(f"  {'':<10}{'tuned':>8}{'base':>8}{'null':>8}{'surface':>8}   {'Δ':<30}ρ")
    for row in rows.to_dict("records"):
        name = row["source"] if row["source"] == row["target"] else f"{row['source']}-{row['target']}"
        own = row["chosen"] == "best" and row["source"] != "macro"
        layers = f"layers {row['layer']}, {row['base_layer']}" if own else ""
        delta = f"{row['delta']:+.4f} ({row['delta_low']:+.4f} to {row['delta_high']:+.4f})"
        share = f"{row['ratio']:.3f} ({row['ratio_low']:.3f} to {row['ratio_high']:.3f})"
        moved = f" by {row['shift']:+.1f} layers" if row["verdict"] == "moved" else ""
        rho = row["note"] or share.replace("nan", "–")
        say(
            f"  {name:<10}{row['value']:>8.4f}{row['base']:>8.4f}{row['base_null']:>8.4f}"
            f"{row['surface']:>8.4f}   {delta:<30}{rho}  {layers}  {row['verdict']}{moved}".rstrip()
        )
