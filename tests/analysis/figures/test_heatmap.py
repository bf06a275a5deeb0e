"""The heatmap shows what the table says, and stays readable at any size."""

from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from crosslingual.analysis import heatmap, save, select

mpl.use("Agg")


def make(languages: int, layers: int, *, unequal: bool = False) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    tags = [f"l{i:03d}" for i in range(languages)] if languages > 3 else ["de", "ru", "zh"][:languages]
    rows = []
    for i, tag in enumerate(tags):
        for layer in range(layers):
            value = rng.uniform(0, 0.9)
            for measure, null in (("accuracy", 0.001), ("accuracy@100", 0.01)):
                rows.append(
                    {
                        "checkpoint": "models/x", "corpus": "c", "split": "test", "pooling": "mean", "map": "none", "map_fit": "",
                        "dtype": "float32", "revision": "", "protocol": "", "max_length": 128,
                        "prefix": "", "duplicates": "class", "source": tag, "target": "en", "layer": layer, "measure": measure,
                        "direction": "mean", "value": value, "low": value - 0.05, "high": value + 0.05, "surface": 0.4, "null": null,
                        "n": 100 + i * unequal,
                    }
                )  # fmt: skip
    return pd.DataFrame(rows)


def axes(figure):
    return next(a for a in figure.axes if a.get_xlabel() == "layer"), figure.axes[0]


def test_cells_are_the_values_and_the_scale_begins_at_the_null():
    table = make(3, 7)
    figure = heatmap(select(table))
    main, left = axes(figure)
    expected = table[table["measure"] == "accuracy"].pivot(
        index="source", columns="layer", values="value"
    )
    shown = np.asarray(main.collections[0].get_array()).reshape(3, 7)
    assert np.allclose(shown, expected.to_numpy())
    assert main.collections[0].norm.vmin == left.collections[0].norm.vmin == 0.001
    assert [t.get_text() for t in left.get_yticklabels()] == ["de", "ru", "zh"]
    assert [t.get_text() for t in main.get_xticklabels()] == [str(i) for i in range(7)]


@pytest.mark.parametrize("surface", [0.4, np.nan])
def test_a_dot_marks_cells_whose_interval_reaches_the_floor(surface):
    """The better of n-grams and null; where there are no n-grams the null alone."""
    table = make(3, 7).assign(surface=surface)
    main, _ = axes(heatmap(select(table)))
    dots = main.collections[1].get_offsets()
    rows = table[table["measure"] == "accuracy"]
    assert len(dots) == (rows["low"] <= (rows["null"] if np.isnan(surface) else surface)).sum() > 0


@pytest.mark.parametrize(("languages", "layers"), [(3, 7), (3, 49), (112, 7), (112, 49)])
def test_labels_do_not_overlap(languages, layers):
    figure = heatmap(select(make(languages, layers)))
    figure.canvas.draw()
    main, left = axes(figure)
    for labels, low, high in (
        (left.get_yticklabels(), "y0", "y1"),
        (main.get_xticklabels(), "x0", "x1"),
    ):
        boxes = sorted(
            (getattr(b, low), getattr(b, high)) for b in (label.get_window_extent() for label in labels)
        )
        assert len(boxes) > 2
        assert all(first[1] <= second[0] + 0.5 for first, second in pairwise(boxes))
    width, height = figure.get_size_inches()
    assert width < 18
    assert height < 24


def test_unequal_sizes_show_accuracy_at_100_and_say_so():
    table = make(3, 7, unequal=True)
    chosen = select(table)
    assert set(chosen["measure"]) == {"accuracy@100"}
    title = heatmap(chosen).get_suptitle()
    assert "at 100 candidates, because the languages have different numbers of sentences" in title
    assert "n = 100 to 102" in title
    assert "rows do not compare" in heatmap(select(table, measure="accuracy")).get_suptitle()


def test_rows_are_sorted_and_grouped():
    table = make(3, 7)

    def labels(**options):
        return [t.get_text() for t in axes(heatmap(select(table), **options))[1].get_yticklabels()]

    best = table[table["measure"] == "accuracy"].groupby("source")["value"].max()
    assert labels(sort="value") == list(best.sort_values(ascending=False).index)
    assert labels(sort="name") == ["de", "ru", "zh"]
    assert labels(group="script") == ["ru", "zh", "de"]  # Cyrl, Hans, Latn
    with pytest.raises(ValueError, match="unknown `sort` 'size'"):
        labels(sort="size")
    with pytest.raises(ValueError, match="unknown `group` 'size'"):
        labels(group="size")


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_figures_are_saved(tmp_path, suffix):
    (path,) = save(heatmap(select(make(3, 7))), [tmp_path / "deep" / f"f{suffix}"])
    starts = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}
    assert path.read_bytes().startswith(starts[suffix])


def test_what_is_wrong_is_named(tmp_path):
    table = make(3, 7)
    with pytest.raises(ValueError, match="measure 'mrr' is not in the table"):
        select(table, measure="mrr")
    with pytest.raises(ValueError, match="direction 'forwards' is not there"):
        select(table, direction="forwards")
    two = pd.concat([table, table.assign(map="centre")])
    with pytest.raises(ValueError, match=r"several values of map \(none, centre\); choose with `map`"):
        select(two)
    assert len(select(two, map="centre")) == 21
    for column, other in (("dtype", "bfloat16"), ("max_length", 64), ("prefix", "query: ")):
        with pytest.raises(ValueError, match=f"several values of {column}"):
            select(pd.concat([table, table.assign(**{column: other, "source": "fi"})]))
    with pytest.raises(ValueError, match="must end in .png, .svg, .pdf"):
        save(heatmap(select(table)), [tmp_path / "f.bmp"])


def test_distances_are_dark_where_they_are_small():
    """Of a distance the null is the light end, and the best row the least one."""
    table = select(make(3, 4))
    distances = table.assign(
        measure="angular_distance", direction="both", value=1 - table["value"], null=1.2, surface=np.nan
    )
    figure = heatmap(distances, sort="value")
    mesh = axes(figure)[0].collections[0]
    assert mesh.get_cmap().name == "rocket"
    assert mesh.get_clim() == pytest.approx((distances["value"].min(), 1.2))
    shown = np.asarray(mesh.get_array()).reshape(3, 4)
    assert (np.diff(shown.min(axis=1)) >= 0).all()
