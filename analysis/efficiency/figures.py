"""Figures of efficiency: ratios, distributions, what a language costs, accuracy against cost."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...alignment.drawing import apart, canvas, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE = "#3b6ea5"


def forest(table: pd.DataFrame) -> "Figure":
    """Draw ratios of times with 95 % intervals, a row a label, a panel a subject.

    The grey band is the interval of the base against itself over all labels.

    Args:
        table: of `efficiency`.

    Raises:
        ValueError: no ratios of whole times in it.
    """
    import seaborn

    rows = table[table["clock"] == "wall"]
    if not len(rows):
        raise ValueError("the table has no ratios of whole times")
    subjects, labels = list(dict.fromkeys(rows["subject"])), list(dict.fromkeys(rows["label"]))
    own = rows[(rows["subject"] == subjects[0]) & (rows["label"] == "all")].iloc[0]
    figure = canvas(1.4 + 1.9 * len(subjects), 1.1 + 0.19 * len(labels))
    panels = figure.subplots(1, len(subjects), sharey=True, sharex=True, squeeze=False)[0]
    places = {label: -at for at, label in enumerate(labels)}
    names = _labels([table["base"].iloc[0], *subjects])
    for axes, subject in zip(panels, subjects, strict=True):
        part = rows[rows["subject"] == subject]
        at = [places[label] for label in part["label"]]
        axes.axvspan(own["low"], own["high"], color="0.88", linewidth=0)
        axes.axvline(1, color="0.4", linewidth=0.7)
        errors = _arms(part["ratio"], part["low"], part["high"])
        axes.errorbar(part["ratio"], at, xerr=errors, fmt="o", markersize=3, linewidth=1, color=BLUE)
        axes.set_title(names[subject], fontsize=7)
        axes.tick_params(labelsize=6.5)
    panels[0].set_yticks(list(places.values()), labels)
    figure.supxlabel(
        "time / time of the base, 95 % intervals\ngrey: the base against itself", fontsize=7
    )
    seaborn.despine(figure)
    title(figure, f"{names[table['base'].iloc[0]]}, {table['scenario'].iloc[0]}", size=8.0)
    return figure


def distributions(samples: pd.DataFrame) -> "Figure":
    """Draw the distribution of times: empirical, a line a subject, on a logarithmic axis.

    Args:
        samples: of `efficiency`.
    """
    import seaborn

    figure = canvas(4.4, 3.0)
    axes = figure.subplots()
    subjects = list(dict.fromkeys(samples["subject"]))
    names = _labels(subjects)
    for subject, colour in zip(
        subjects, seaborn.color_palette("colorblind", len(subjects)), strict=True
    ):
        times = np.sort(samples.loc[samples["subject"] == subject, "wall"]) * 1e3
        share = np.arange(1, len(times) + 1) / len(times)
        axes.step(times, share, where="post", linewidth=1, color=colour, label=names[subject])
    for level in (0.5, 0.9, 0.95):
        axes.axhline(level, color="0.85", linewidth=0.6, zorder=0)
    axes.set_xscale("log")
    axes.set_xlabel(
        "milliseconds a batch" if samples["texts"].max() > 1 else "milliseconds a query", fontsize=8
    )
    axes.set_ylabel("share of samples below", fontsize=8)
    axes.tick_params(labelsize=7)
    axes.legend(fontsize=6.5, frameon=False)
    seaborn.despine(figure)
    title(figure, f"times, {samples['scenario'].iloc[0]}", size=8.0)
    return figure


def premiums(languages: pd.DataFrame) -> "Figure":
    """Draw the time of parallel sentences against the token premium, both against English.

    On the line, time grows as tokens do; above it, padding or longer texts cost more than that. Bars are
    95 % intervals.

    Args:
        languages: of `efficiency`.

    Raises:
        ValueError: nothing was timed by language.
    """
    import seaborn

    if "time_ratio" not in languages:
        raise ValueError("random tokens are of no language; take another `scenario`")
    subject = languages["subject"].iloc[0]
    rows = languages[languages["subject"] == subject]
    figure = canvas(3.6, 3.4)
    axes = figure.subplots()
    ends = rows[["time_premium", "time_ratio"]].to_numpy()
    reach = np.array([ends.min() * 0.95, ends.max() * 1.05])
    axes.plot(reach, reach, color="0.7", linewidth=0.8)
    errors = _arms(rows["time_ratio"], rows["time_low"], rows["time_high"])
    axes.errorbar(
        rows["time_premium"], rows["time_ratio"], yerr=errors, fmt="o", markersize=3, linewidth=0.6,
        color=BLUE,
    )  # fmt: skip
    _named(axes, rows["time_premium"], rows["time_ratio"], rows["language"])
    axes.set_xlabel("tokens / tokens of English", fontsize=8)
    axes.set_ylabel("time / time of English", fontsize=8)
    axes.tick_params(labelsize=7)
    seaborn.despine(figure)
    title(figure, f"the same sentences, {_tail(subject, 1)}", size=8.0)
    return figure


def pareto(checkpoints: pd.DataFrame) -> "Figure":
    """Draw accuracy against sentences a second; the line joins those that nothing else beats in both.

    Args:
        checkpoints: of `efficiency`, with `align`.

    Raises:
        ValueError: there is no accuracy in it.
    """
    import seaborn

    if "accuracy" not in checkpoints:
        raise ValueError("there is no accuracy; give `align` a corpus, as tatoeba")
    rows = checkpoints.sort_values("sentences_per_second", ascending=False)
    front = rows[rows["accuracy"] > rows["accuracy"].cummax().shift(fill_value=-1)]
    names = _labels(rows["subject"])
    figure = canvas(4.4, 3.2)
    axes = figure.subplots()
    axes.plot(front["sentences_per_second"], front["accuracy"], color="0.6", linewidth=0.9, zorder=0)
    axes.scatter(rows["sentences_per_second"], rows["accuracy"], s=12, color=BLUE)
    _named(axes, rows["sentences_per_second"], rows["accuracy"], map(names.get, rows["subject"]))
    axes.set_xlabel("sentences a second", fontsize=8)
    axes.set_ylabel("accuracy of retrieval, at the best layer", fontsize=8)
    axes.tick_params(labelsize=7)
    axes.margins(x=0.12, y=0.16)
    seaborn.despine(figure)
    title(figure, "accuracy against cost; line: Pareto front", size=8.0)
    return figure


def _arms(value: pd.Series, low: pd.Series, high: pd.Series) -> list[pd.Series]:
    """Return how far intervals reach below and above; a drawn one may just miss its estimate."""
    return [(value - low).clip(lower=0), (high - value).clip(lower=0)]


def _named(axes: "Axes", x: pd.Series, y: pd.Series, names: Iterable[str | None]) -> None:
    """Write names at the right of points, those of points next to each other one below the other."""
    table = pd.DataFrame({"x": x.astype(float), "y": y.astype(float), "name": list(map(str, names))})
    table = table.sort_values("x", kind="stable")
    letters = table["name"].str.len().max()
    wide, high = (0.01 + 0.0125 * letters) * (np.ptp(x) or 1), 0.055 * (np.ptp(y) or 1)
    for _, group in table.groupby((table["x"].diff() > wide).cumsum()):
        right = group["x"].max() + 0.03 * np.ptp(x)
        for row, place in zip(group.itertuples(), apart(group["y"].tolist(), high), strict=True):
            near = abs(place - row.y) < high / 9 and right - row.x < 0.06 * np.ptp(x)
            line = {"arrowstyle": "-", "linewidth": 0.3, "color": "0.6"}
            axes.annotate(
                row.name, (row.x, row.y), (right, place), fontsize=6, va="center",
                arrowprops=None if near else line,
            )  # fmt: skip
    axes.update_datalim([(float(np.max(x)), float(np.min(y)) - high)])


def _labels(subjects: Iterable[str]) -> dict[str, str]:
    """Return short names: the last part of a path, or the last two where that is not enough."""
    names = list(dict.fromkeys(map(str, subjects)))
    tails = Counter(_tail(name, 1) for name in names)
    return {name: _tail(name, 1 if tails[_tail(name, 1)] == 1 else 2) for name in names}


def _tail(subject: str, parts: int) -> str:
    name, _, form = subject.partition(" (")
    return "/".join(Path(name).parts[-parts:]) + (f" ({form}" if form else "")
