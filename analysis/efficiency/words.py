"""What was found of efficiency, in words."""

from collections.abc import Iterator

import pandas as pd

from .measuring import EfficiencyResult


def ratios_in_words(result: EfficiencyResult) -> Iterator[str]:
    """Yield the ratios of whole times, the base against itself first, with what could be found."""
    table = result.table[(result.table["clock"] == "wall") & (result.table["label"] == "all")]
    width = max(len(name) for name in table["subject"])
    yield f"{'time of'.ljust(width)}  ratio    95 % interval   verdict       found with power .8"
    for row in table.to_dict("records"):
        yield (
            f"{row['subject'].ljust(width)}  {row['ratio']:.4f}  [{row['low']:.4f}, {row['high']:.4f}]  "
            f"{row['verdict']:12}  {row['detectable']:.1%}"
        )
    noisy = table[table["note"].str.contains("too noisy")]
    if len(noisy):
        yield (
            "the base does not take as long as itself within the margin: this machine is too noisy now, "
            "nothing is said of the others; take more seconds, or let nothing else run"
        )


def languages_in_words(result: EfficiencyResult) -> Iterator[str]:
    """Yield what parallel sentences take in every language, for the base."""
    table = result.languages[result.languages["subject"] == result.table["base"].iloc[0]]
    timed = "time_ratio" in table
    yield "language  premium  fertility  unknown" + (
        "  sentences/s  time [95 %]          = premium x padding x residual" if timed else ""
    )
    for row in table.to_dict("records"):
        words = "-" if pd.isna(row["fertility"]) else f"{row['fertility']:.2f}"
        known = ("-", "-")  # of a task's language that the corpus does not have
        if not pd.isna(row["premium"]):
            known = f"{row['premium']:.3f}", f"{row['unknown_share']:.2%}"
        said = f"{row['language']:8}  {known[0]:>7}  {words:>9}  {known[1]:>7}"
        if timed:
            parts = " x ".join(
                f"{row[f'time_{part}']:.2f}" for part in ("premium", "padding", "residual")
            )
            ends = f"[{row['time_low']:.2f}, {row['time_high']:.2f}]"
            said += f"  {row['sentences_per_second']:11,.1f}  {row['time_ratio']:.2f} {ends}  = {parts}"
        yield said


def checkpoints_in_words(result: EfficiencyResult) -> Iterator[str]:
    """Yield throughput, memory and, where it was asked for, accuracy of every subject."""
    table = result.checkpoints
    width = max(len(name) for name in table["subject"])
    accurate = "accuracy" in table
    head = "sentences/s  peak memory  weights      disk     energy a text"
    head += "  accuracy  layer" if accurate else ""
    yield f"{'':{width}}  {head}"
    for row in table.to_dict("records"):
        sizes = "  ".join(
            f"{row[name]:{room},.0f} MB"
            for name, room in (("peak_mb", 8), ("weights_mb", 5), ("disk_mb", 5))
        )
        energy = "not measured" if pd.isna(row["joules"]) else f"{row['joules']:.3g} J"
        said = f"{row['subject']:{width}}  {row['sentences_per_second']:11,.1f}  {sizes}  {energy:>16}"
        yield said + (f"  {row['accuracy']:8.4f}  {row['layer']:5}" if accurate else "")
