"""`crosslingual probe`: what each layer knows, and whether it is read in other languages."""

from typing import TYPE_CHECKING

from ...probes.options import ProbeOptions
from ..generate import command
from ..messages import say
from ..shared import EncoderArgument, run_folder

if TYPE_CHECKING:
    import pandas as pd


@command
def probe(checkpoint: EncoderArgument, options: ProbeOptions) -> None:
    """Probe every layer: fitted in one language, tested in all, with in-language probes and floors.

    crosslingual probe ./my-model --task topic --data-dir ./corpora
    """
    from ...alignment.drawing import save
    from ...probes.probing import probe as probed
    from ..progress import reported

    folder = run_folder(options.out, checkpoint, "probe", str(options.task))
    with reported() as progress:
        result = probed(checkpoint, **{**vars(options), "out": folder, "progress": progress})
    frame = result.to_frame()
    for one in dict.fromkeys(frame["train"]):
        _show(frame[frame["train"] == one], result.best_layer(one))
        for path in save(result.heatmap(one), [folder / "figures" / f"{options.task}-{one}.png"]):
            say(f"figure: {path}")
    if frame["train"].nunique() > 1:
        say(result.transfer_matrix().to_string(float_format=lambda value: f"{value:.3f}"))
    say(f"table: {folder / 'probes.parquet'}")


def _show(rows: "pd.DataFrame", layer: int) -> None:
    """Print a line a language, at the layer of least loss on dev."""
    chosen = rows[rows["layer"] == layer]
    head = chosen.iloc[0]
    trees = head["metric"] != "accuracy"
    floors = {"majority": "next word" if trees else "majority", "surface": "n-grams"}
    floors |= {"control": "control", "random": "random", "spearman": "Spearman"}
    shown = {
        name: title for name, title in floors.items() if name in chosen and chosen[name].notna().any()
    }
    say(f"{head['task']}, learnt in {head['train']}, layer {layer} (least loss on dev)")
    say(
        f"  {'':<8}{head['metric']:>9}  {'95 % interval':<18}"
        + "".join(f"{title:>10}" for title in (*shown.values(), "ceiling"))
        + "  gap"
    )
    for row in chosen.to_dict("records"):
        gap = f"{row['gap']:+.3f} ({row['gap_low']:+.3f} to {row['gap_high']:+.3f})"
        interval = f"({row['accuracy_low']:.3f} to {row['accuracy_high']:.3f})"
        scores = "".join(f"{_number(row[name]):>10}" for name in (*shown, "ceiling"))
        own = row["ceiling"] == row["ceiling"]
        say(f"  {row['test']:<8}{row['accuracy']:>9.3f}  {interval:<18}{scores}  {gap if own else '–'}")
    for row in chosen.dropna(subset="selectivity").to_dict("records"):
        say(
            f"  selectivity ({row['test']}): {row['selectivity']:.3f} "
            f"({row['selectivity_low']:.3f} to {row['selectivity_high']:.3f})"
        )
    for row in chosen.dropna(subset="bits").to_dict("records") if "bits" in chosen else []:
        say(
            f"  codelength ({row['test']}): {row['bits']:.3f} bits a label, compression "
            f"{row['compression']:.2f}, against the labels' frequencies "
            f"{row['compression_of_marginal']:.2f}"
        )
    above = int((rows["q"] < 0.05).sum())
    say(f"  above its floors in {above} of {len(rows)} languages and layers (q < 0.05)")
    loose = int((~rows["converged"]).sum())
    if loose:
        say(f"  {loose} probes did not converge")


def _number(value: float) -> str:
    return f"{value:.3f}" if value == value else "–"
