"""What probes found, for a notebook and a page: frame, heatmap, transfer matrix, comparison."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..alignment.runs.results import Result
from .figures import heatmap
from .resampling import adjusted, intervals, p_value

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False, repr=False)
class ProbeResult(Result):
    """A row per language trained on, language tested in, and layer; docs/probes.md has the columns."""

    items: pd.DataFrame = field(default_factory=pd.DataFrame)  # train, test, layer, id, group, right

    def sentences(self) -> pd.DataFrame:
        """Return which answers were right: train, test, layer, id, group, right."""
        return self.items.copy()

    def best_layer(self, train: str | None = None) -> int:
        """Return the layer of least loss on dev, summed over the languages trained on, or of one."""
        once = self.table.drop_duplicates(["train", "layer"])
        if train is not None:
            once = once[once["train"] == train]
        return int(once.groupby("layer")["dev_loss"].sum().idxmin())

    def transfer_matrix(self, layer: int | None = None) -> pd.DataFrame:
        """Return accuracies, a row per language trained on, a column per language tested in.

        Args:
            layer: by default `best_layer`.
        """
        table = self.table
        layer = self.best_layer() if layer is None else layer
        chosen = table[table["layer"] == layer]
        if chosen.empty:
            raise ValueError(f"layer {layer} was not probed: {sorted(set(table['layer']))}")
        order = list(dict.fromkeys(chosen["test"]))
        rows = list(dict.fromkeys(chosen["train"]))
        return chosen.pivot(index="train", columns="test", values="accuracy").loc[rows, order]

    def heatmap(self, train: str | None = None) -> "Figure":
        """Draw accuracy by language tested in and layer; a dot where it is not above its floors.

        Args:
            train: the language trained on, where there are several.
        """
        known = list(dict.fromkeys(self.table["train"]))
        if train is None and len(known) > 1:
            raise ValueError(f"trained on {', '.join(known)}: name one")
        return heatmap(self.table[self.table["train"] == (train or known[0])])

    def difference(
        self, other: "ProbeResult", *, layer: int | None = None, other_layer: int | None = None
    ) -> pd.DataFrame:
        """Return how much this differs from another result, cell by cell, with paired intervals.

        Args:
            other: of the same task and examples; another checkpoint's, or this one.
            layer: compare this layer alone; by default every layer with the same one.
            other_layer: the other's, where it is not the same one: 0 for the embeddings.

        Returns:
            Accuracies, their difference, its interval and p-value, and this adjusted over all rows.

        Raises:
            ValueError: no task, languages and layer in common, or other test examples.
        """
        if other_layer is not None and layer is None:
            raise ValueError("other_layer goes with layer")
        keys = ["train", "test", "layer"]
        tasks = {self.table["task"].iloc[0], other.table["task"].iloc[0]}
        sides = [dict(iter(one.items.groupby(keys, sort=False))) for one in (self, other)]
        shift = {layer: layer if other_layer is None else other_layer}
        pairs = [
            (key, (*key[:2], shift.get(key[2], key[2])))
            for key in sides[0]
            if layer is None or key[2] == layer
        ]
        pairs = [(key, its) for key, its in pairs if its in sides[1]]
        if len(tasks) > 1 or not pairs:
            raise ValueError("the two results have no task, languages and layer in common")
        rows = []
        for key, its in pairs:
            one, two = sides[0][key], sides[1][its]
            if one["id"].tolist() != two["id"].tolist():
                raise ValueError(f"{key}: the two results were tested on different examples")
            right = np.stack([one["right"].to_numpy(float), two["right"].to_numpy(float)], axis=1)
            apart = right[:, :1] - right[:, 1:]
            groups = one["group"].to_numpy(np.int64)
            ((low,), (high,)) = intervals({"": apart}, {"": groups}, 0)[""]
            count = int(groups.max()) + 1
            p = p_value(float(apart.mean()), low, high, count, 2 * 0.5**count, sides=2)
            rows.append(
                dict(zip(keys, key, strict=True))
                | {"other_layer": its[2], "accuracy": right[:, 0].mean(), "other": right[:, 1].mean()}
                | {"difference": apart.mean(), "low": low, "high": high, "n": len(right)}
                | {"p": p}
            )
        return adjusted(pd.DataFrame(rows))

    def _repr_html_(self) -> str:
        """Show accuracies by layer in a notebook, with the floors."""
        shown = self.table.pivot_table(
            index=["train", "test"], columns="layer", values="accuracy", sort=False
        )
        floors = self.table.groupby(["train", "test"], sort=False)[
            ["majority", "surface", "control"]
        ].mean()
        html: str = floors.join(shown).to_html(float_format=lambda value: f"{value:.3f}")
        task = self.table["task"].iloc[0]
        n = int(np.median(self.table["n"]))
        return f"<p><b>{task}</b>: accuracy by layer, about {n} tests a language</p>{html}"
