"""Make the figures of measures.md: every family over the layers, with null, surface and interval.

python docs/measures.py MODEL --data-dir DIR [--corpus flores] [--languages de,sw] [--out docs/images]
"""

import argparse
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from crosslingual import score


class Curve(NamedTuple):
    """A measure under a map, and how it is called in a figure."""

    measure: str
    map: str
    label: str


FAMILIES = {
    "spectral": [
        Curve("linear_cka", "none", "biased"),
        Curve("debiased_linear_cka", "none", "debiased"),
        Curve("debiased_linear_cka", "without-outliers@3", "debiased, without 3 dimensions"),
        Curve("debiased_linear_cka", "standardise", "debiased, standardised"),
    ],
    "subspace": [
        Curve("mean_squared_cca", "none", "mean squared CCA"),
        Curve("svcca@0.99", "none", "SVCCA"),
        Curve("heldout_cca@20", "none", "held-out CCA"),
    ],
    "shape": [Curve("procrustes_similarity", "none", "Procrustes cosine")],
    "neighbourhood": [
        Curve("mutual_knn@10", "none", "mutual k-NN"),
        Curve("mutual_knn@10", "centre", "mutual k-NN, centred"),
    ],
    "neuron": [Curve("anc", "none", "ANC"), Curve("anc_abs", "none", "ANC, absolute")],
    "rsa": [Curve("rsa", "none", "RSA"), Curve("rsa", "standardise", "RSA, standardised")],
}
COLOURS = ["#b2182b", "#2166ac", "#4d9221", "#7b3294"]


def draw(table: pd.DataFrame, family: str) -> Figure:
    """Return the figure of a family: a panel a language, a line a measure, dotted its null."""
    pairs = list(table.groupby(["source", "target"], sort=False))
    figure = Figure(figsize=(3.4 * len(pairs) + 2.4, 3.1), layout="constrained")
    axes = figure.subplots(1, len(pairs), sharey=True, squeeze=False)[0]
    for ax, ((source, target), rows) in zip(axes, pairs, strict=True):
        for colour, curve in zip(COLOURS, FAMILIES[family], strict=False):
            chosen = rows[(rows["measure"] == curve.measure) & (rows["map"] == curve.map)]
            _line(ax, chosen.sort_values("layer"), colour, curve.label)
        ax.set_title(f"{source} – {target}, n = {rows['n'].iloc[0]:,}", fontsize=9)
        ax.set_xlabel("layer", fontsize=8)
        ax.tick_params(labelsize=7)
        ax.grid(alpha=0.25, linewidth=0.5)
        for side in ("top", "right"):
            ax.spines[side].set_visible(False)
    axes[0].set_ylim(bottom=min(0.0, axes[0].get_ylim()[0]))
    handles, labels = axes[0].get_legend_handles_labels()
    for style, label in ((":", "its null"), ("-.", "n-grams, no model")):
        if any(line.get_linestyle() == style for line in axes[0].lines):
            handles.append(Line2D([], [], color="grey", linestyle=style, linewidth=1.2))
            labels.append(label)
    figure.legend(handles, labels, loc="outside right center", fontsize=7.5, frameon=False)
    return figure


def _line(ax: Axes, rows: pd.DataFrame, colour: str, label: str) -> None:
    layer, value = rows["layer"].astype(int), rows["value"]
    if value.isna().all():
        ax.plot([], [], color=colour, label=f"{label}: no value\n(saturated)")
        return
    ax.plot(layer, value, color=colour, marker="o", markersize=3, linewidth=1.4, label=label)
    ax.fill_between(layer, rows["low"], rows["high"], color=colour, alpha=0.18, linewidth=0)
    ax.plot(layer, rows["null"], color=colour, linestyle=":", linewidth=1.2)
    if rows["surface"].notna().all() and rows["map"].iloc[0] == "none":
        ax.plot(layer, rows["surface"], color=colour, linestyle="-.", linewidth=1)


def main() -> None:
    """Score, and write a figure a family."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--corpus", default="flores")
    parser.add_argument("--languages", default="de,sw")
    parser.add_argument("--store", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "images")
    options = parser.parse_args()
    curves = [curve for family in FAMILIES.values() for curve in family]
    tables = [
        score(
            options.model,
            options.corpus,
            data_dir=options.data_dir,
            languages=options.languages,
            maps=map_name,
            map_fit="in-sample",
            measures=",".join(dict.fromkeys(c.measure for c in curves if c.map == map_name)),
            store=options.store,
        ).table
        for map_name in dict.fromkeys(curve.map for curve in curves)
    ]
    table = pd.concat(tables, ignore_index=True)
    options.out.mkdir(parents=True, exist_ok=True)
    for family in FAMILIES:
        path = options.out / f"measures-{family}.png"
        draw(table, family).savefig(path, dpi=150)
        print(path)
    columns = ["source", "map", "layer", "measure", "value", "low", "high", "null", "z", "surface"]
    shown = table.loc[table["layer"].isin([0, 3, table["layer"].max()]), columns]
    print(shown.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
