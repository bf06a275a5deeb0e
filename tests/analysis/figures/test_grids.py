"""Figures of grids: the right panels, the right cells, the right scale."""

import numpy as np
import pytest

from crosslingual.analysis.figures.grids import between, grid_heatmap
from tests.verbs import compare


@pytest.fixture(scope="module")
def tables(tiny_bert, tmp_path_factory):
    store = tmp_path_factory.mktemp("store")
    return {
        kind: compare(tiny_bert, between=kind, languages="de,sw", layers="0,1,3", store=store)
        for kind in ("layers", "languages", "all")
    }


@pytest.mark.parametrize(
    ("kind", "panels", "shape"), [("layers", 2, (3, 3)), ("languages", 3, (3, 3)), ("all", 1, (9, 9))]
)
def test_panels_hold_the_values(tables, kind, panels, shape):
    table = tables[kind]
    assert between(table) == kind
    figure = grid_heatmap(table)
    images = [ax.images[0] for ax in figure.axes if ax.images]
    assert len(images) == panels
    found = np.concatenate([image.get_array().ravel() for image in images])
    assert all(image.get_array().shape == shape for image in images)
    assert sorted(found) == pytest.approx(sorted(table["value"]))
    low, high = images[0].get_clim()
    assert low == pytest.approx(0, abs=1e-9), "begins at the null"
    assert high == pytest.approx(table["value"].max())
    titles = [ax.get_title() for ax in figure.axes if ax.images]
    assert titles[0] == {"layers": "de → en", "languages": "layer 0", "all": ""}[kind]


def test_a_cell_stands_where_its_labels_say(tables):
    table = tables["layers"]
    figure = grid_heatmap(table)
    ax = figure.axes[0]
    row = [label.get_text() for label in ax.get_yticklabels()].index("3")
    column = [label.get_text() for label in ax.get_xticklabels()].index("1")
    cell = table[(table["source"] == "de") & (table["layer"] == 3) & (table["other_layer"] == 1)]
    assert ax.images[0].get_array()[row, column] == pytest.approx(cell["value"].iloc[0])
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("layer of de", "layer of en")


def test_distances_are_drawn_the_other_way_round(tables):
    table = tables["layers"].assign(measure="angular_distance", null=1.5)
    image = grid_heatmap(table).axes[0].images[0]
    assert image.get_cmap().name == "rocket"
    assert image.get_clim()[1] == pytest.approx(1.5)


def test_refusals(tables):
    table = tables["layers"]
    with pytest.raises(ValueError, match=r"several values of map \(centre, none\); name one"):
        other = table.copy()
        other.loc[other.index[0], "map"] = "centre"
        grid_heatmap(other)
    with pytest.raises(ValueError, match="no cell of the grid has a value"):
        grid_heatmap(table.assign(value=np.nan))
