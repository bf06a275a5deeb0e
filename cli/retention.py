"""`crosslingual retention`: what fine-tuning kept of a base checkpoint's alignment."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import pandas as pd


def retention(
    run: Annotated[Path, typer.Argument(help="Run folder of the fine-tuned checkpoint.")],
    base: Annotated[Path, typer.Option(help="Run folder of its base, scored alike.")],
    dev: Annotated[
        Path | None,
        typer.Option(help="Run folder of the fine-tuned checkpoint on another corpus: chooses layers."),
    ] = None,
    base_dev: Annotated[Path | None, typer.Option(help="Likewise, of the base.")] = None,
    measure: Annotated[str, typer.Option(help="What is shown and drawn; all are written.")] = "accuracy",
    direction: Annotated[str, typer.Option(help="forward, backward, mean.")] = "mean",
    out: Annotated[
        Path | None, typer.Option(help="Folder of table and figure.  [default: RUN/retention]")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the resamples.")] = 0,
) -> None:
    """Compare a fine-tuned checkpoint with its base on the same sentences, layer by layer."""
    from ..analysis.deltas import delta_heatmap, in_words
    from ..analysis.figures import save
    from ..analysis.retention import retention as compare

    if (dev is None) != (base_dev is None):
        raise ValueError("--dev and --base-dev go together")
    table = compare(run, base, dev=(dev, base_dev) if dev and base_dev else None, seed=seed)
    shown = table[(table["measure"] == measure) & (table["direction"] == direction)]
    if shown.empty:
        raise ValueError(
            f"no {measure} {direction} there: {', '.join(sorted(set(table['measure'])))} "
            f"({', '.join(sorted(set(table['direction'])))})"
        )
    folder = out or run / "retention"
    folder.mkdir(parents=True, exist_ok=True)
    table.to_parquet(folder / "retention.parquet", index=False)
    last = shown[(shown["chosen"] == "equal") & (shown["layer"] == shown["layer"].max())]
    _show(last, f"{measure}, {direction}, at the last layer of both")
    _show(shown[shown["chosen"] == "best"], "each at its own best layer")
    typer.echo(in_words(last))
    typer.echo(f"table: {folder / 'retention.parquet'}")
    for path in save(delta_heatmap(shown), [folder / f"delta-{measure}-{direction}.png"]):
        typer.echo(f"figure: {path}")


def _show(rows: "pd.DataFrame", title: str) -> None:
    if rows.empty:
        return
    typer.echo(title)
    typer.echo(f"  {'':<10}{'tuned':>8}{'base':>8}{'null':>8}{'surface':>8}   {'Δ':<30}ρ")
    for row in rows.to_dict("records"):
        name = row["source"] if row["source"] == row["target"] else f"{row['source']}-{row['target']}"
        layers = f"layers {row['layer']}, {row['base_layer']}" if row["chosen"] == "best" else ""
        delta = f"{row['delta']:+.4f} ({row['delta_low']:+.4f} to {row['delta_high']:+.4f})"
        rho = row["note"] or f"{row['ratio']:.3f} ({row['ratio_low']:.3f} to {row['ratio_high']:.3f})"
        typer.echo(
            f"  {name:<10}{row['value']:>8.4f}{row['base']:>8.4f}{row['base_null']:>8.4f}"
            f"{row['surface']:>8.4f}   {delta:<30}{rho}  {layers}".rstrip()
        )
