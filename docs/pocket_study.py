"""Make the figures of pocket-study.md from the folder of the study.

python docs/pocket_study.py runs/pocket [--out docs/images]
"""

import argparse
from pathlib import Path

import pandas as pd
import seaborn
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from crosslingual.alignment.drawing import canvas, save, title
from crosslingual.alignment.runs.files import read_table
from crosslingual.alignment.runs.table import MACRO

SCALES = ("xs", "s", "m")
COLOURS = dict(zip(SCALES, seaborn.color_palette("crest", 3), strict=True))


def mean_rows(table: pd.DataFrame, corpus: str) -> pd.DataFrame:
    """Return the rows of accuracy, mean over languages and directions, of a corpus."""
    rows = table[(table["corpus"] == corpus) & (table["source"] == MACRO)]
    return rows[(rows["measure"] == "accuracy") & (rows["direction"] == "mean")]


def changes(recipes: pd.DataFrame) -> Figure:
    """Draw Δ of every treatment at its best layer: three seeds, 95 % intervals, the margin."""
    figure = canvas(6.4, 3.3)
    panels = figure.subplots(1, 2, sharey=True)
    names = list(dict.fromkeys(recipes["treatment"]))
    for axes, corpus in zip(panels, ("tatoeba", "flores"), strict=True):
        rows = mean_rows(recipes, corpus)
        axes.axvline(0, color="0.4", linewidth=0.7)
        axes.axvspan(-float(rows["margin"].iloc[0]), 0, color="0.9", linewidth=0)
        for at, scale in enumerate(SCALES):
            own = rows[rows["scale"] == scale].set_index("treatment").loc[names]
            places = [-row + 0.22 * (1 - at) for row in range(len(names))]
            errors = [own["delta"] - own["delta_low"], own["delta_high"] - own["delta"]]
            axes.errorbar(
                own["delta"], places, xerr=errors, fmt="o", markersize=3, linewidth=1,
                color=COLOURS[scale], label=f"pocket-{scale}",
            )  # fmt: skip
        axes.set_title({"tatoeba": "Tatoeba", "flores": "FLORES devtest"}[corpus], fontsize=8)
        axes.set_xlabel("Δ accuracy, each at its best layer", fontsize=7)
        axes.tick_params(labelsize=7)
        axes.xaxis.set_major_locator(MaxNLocator(5))
    panels[0].set_yticks([-row for row in range(len(names))], names)
    panels[1].legend(fontsize=6.5, frameon=False, loc="center left")
    seaborn.despine(figure)
    title(figure, "after 200 steps of English training; grey: within the margin", size=8.0)
    return figure


def layers(retention: pd.DataFrame) -> Figure:
    """Draw accuracy by layer, of the bases and after each treatment (mean of three seeds)."""
    figure = canvas(6.4, 2.9)
    panels = figure.subplots(1, 3, sharey=True)
    rows = retention[(retention["corpus"] == "tatoeba") & retention["layer"].notna()]
    rows = rows[(rows["measure"] == "accuracy") & (rows["direction"] == "mean")]
    rows = rows[(rows["chosen"] == "equal") & (rows["source"] != MACRO)]
    names = list(dict.fromkeys(rows["treatment"]))
    colours = dict(zip(names, seaborn.color_palette("colorblind", len(names)), strict=True))
    for axes, scale in zip(panels, SCALES, strict=True):
        own = rows[rows["scale"] == scale]
        base = own.groupby("layer")["base"].mean()
        axes.plot(base.index, base, color="0.2", linewidth=1.6, label="base")
        for name in names:
            curve = own[own["treatment"] == name].groupby("layer")["value"].mean()
            style = "--" if bool(own.loc[own["treatment"] == name, "control"].iloc[0]) else "-"
            axes.plot(curve.index, curve, color=colours[name], linewidth=1, linestyle=style, label=name)
        axes.set_title(f"pocket-{scale}", fontsize=8)
        axes.set_xlabel("layer", fontsize=7)
        axes.set_xticks(base.index.astype(int))
        axes.tick_params(labelsize=7)
    panels[0].set_ylabel("accuracy on Tatoeba", fontsize=7)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, fontsize=6.5, frameon=False, loc="outside right center")
    seaborn.despine(figure)
    return figure


def main() -> None:
    """Draw both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "images")
    given = parser.parse_args()
    for name, figure in (
        ("changes", changes(read_table(given.run / "recipes.parquet"))),
        ("layers", layers(read_table(given.run / "retention.parquet"))),
    ):
        for path in save(figure, [given.out / f"pocket-study-{name}.png"]):
            print(path)


if __name__ == "__main__":
    main()
