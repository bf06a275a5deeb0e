"""What holds of every figure: designed at its width, type of a size, nothing cut off, letters as letters."""

import re
from itertools import combinations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.testing.compare import compare_images

from crosslingual.alignment.drawing import SMALLEST, hues, ramp, save, sheet
from crosslingual.alignment.drawing.colours import luminance
from crosslingual.alignment.scoring.map_decomposition import PARTS
from crosslingual.analysis.figures.chosen import keep_chosen
from crosslingual.analysis.figures.depth import depth_values, draw_depth
from crosslingual.analysis.figures.forest import draw_forest, forest_points
from crosslingual.analysis.figures.heatmap import draw_heatmap
from crosslingual.analysis.figures.language_names import named_languages
from crosslingual.analysis.figures.layers import draw_layers, layer_points
from crosslingual.analysis.figures.options import (
    ChosenOptions,
    FigureOptions,
    ForestOptions,
    HeatmapOptions,
    LayersOptions,
    PartsOptions,
    SentencesOptions,
)
from crosslingual.analysis.figures.parts import draw_parts, part_points
from crosslingual.analysis.figures.sentences import draw_sentences, principal
from crosslingual.analysis.report.matrix import VerdictMatrix
from crosslingual.analysis.report.verdict_figure import draw_verdicts
from crosslingual.analysis.retention.verdicts import Verdict

from .test_heatmap import make

mpl.use("Agg")
SIZES = [(languages, layers) for languages in (3, 12, 36, 112) for layers in (7, 25, 49)]


def verdicts(rows, columns):
    rng = np.random.default_rng(0)

    def cell():
        return {"verdict": rng.choice([str(one) for one in Verdict]), "delta": rng.normal(0, 0.1)}

    names = ["mean", *(f"l{at}" for at in range(columns))]
    cells = {f"pocket-xs: task {at}": {name: cell() for name in names} for at in range(rows)}
    return VerdictMatrix("accuracy (mean) on tatoeba/test", names, cells)


def figures(width, languages=12, layers=25):
    """Yield a figure of every kind."""
    table = make(languages, layers)
    table = table[table["measure"] == "accuracy"].assign(depth=table["layer"] / (layers - 1))
    yield draw_heatmap(table, HeatmapOptions(width=width))
    yield draw_layers(table, LayersOptions(width=width))
    table = table.assign(parameters=2e6)
    two = pd.concat([table, table.assign(checkpoint="models/y", value=table["value"] + 0.01)])
    yield draw_layers(two, LayersOptions(width=width))
    yield draw_forest(two, ForestOptions(width=width, layer="last"))
    yield draw_verdicts(verdicts(6, languages), FigureOptions(width=width))
    rng = np.random.default_rng(0)
    vectors = {name: rng.normal(size=(20, 8)) for name in ("de", "sw", "th")}
    yield draw_sentences(vectors, "models/x, layer 3", SentencesOptions(width=width))
    yield draw_depth(pd.concat([two, scaled(two)]), ChosenOptions(width=width))
    yield draw_parts(decomposed(languages), PartsOptions(width=width))


def scaled(table):
    """Return the scores of a checkpoint that is half as deep."""
    half = table[table["layer"] % 2 == 0]
    return half.assign(checkpoint="models/small", layer=half["layer"] // 2, parameters=1e6)


def decomposed(languages):
    rng = np.random.default_rng(0)
    rows = []
    for at in range(languages):
        for layer in (0, 1):
            values = rng.dirichlet(np.ones(len(PARTS))) - 0.02 * (np.arange(len(PARTS)) == 3)
            for part, value in zip(PARTS, values, strict=True):
                rows.append(
                    {
                        "source": f"l{at}", "target": "en", "corpus": "c", "pooling": "mean",
                        "map_fit": "in-sample", "measure": "accuracy", "direction": "mean",
                        "layer": layer, "part": part, "value": value, "low": value - 0.03,
                        "high": value + 0.03,
                    }
                )  # fmt: skip
    return pd.DataFrame(rows)


def texts(figure):
    """Return what is written; ticks beyond the ends of an axis are not."""
    figure.canvas.draw()
    beyond = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [tick for tick in axis.get_major_ticks() if not low <= tick.get_loc() <= high]
            beyond |= {label for tick in ticks for label in (tick.label1, tick.label2)}
    every = set(figure.findobj(mpl.text.Text)) - beyond
    return [one for one in every if one.get_visible() and one.get_text().strip()]


def check_type_and_edges(figure, width):
    """At the width asked for; no type below 5.5 points; no label cut off."""
    size = figure.get_size_inches() * 25.4
    assert size[0] == pytest.approx(width) and size[1] <= 231
    box = figure.bbox
    for one in texts(figure):
        assert one.get_fontsize() >= SMALLEST, one.get_text()
        extent = one.get_window_extent()
        assert extent.x0 >= -1 and extent.x1 <= box.x1 + 1, one.get_text()
        assert extent.y0 >= -1 and extent.y1 <= box.y1 + 1, one.get_text()


@pytest.mark.parametrize(("languages", "layers"), SIZES)
def test_heatmaps_of_any_size_fit_a_column(languages, layers):
    figure = draw_heatmap(make(languages, layers), HeatmapOptions(width="column"))
    check_type_and_edges(figure, 84)
    main = next(one for one in figure.axes if one.get_xlabel() == "layer")
    for labels in (main.get_xticklabels(), figure.axes[0].get_yticklabels()):
        boxes = [one.get_window_extent() for one in labels if one.get_text()]
        assert boxes and not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    for one in main.texts:  # numbers within their cells
        cell = main.transData.transform([(0, 0), (1, 1)])
        assert one.get_window_extent().width <= abs(cell[1, 0] - cell[0, 0]) + 1


@pytest.mark.parametrize(("width", "millimetres"), [("column", 84), ("page", 174), ("120", 120)])
def test_every_kind_fits_its_width(width, millimetres):
    for figure in figures(width):
        check_type_and_edges(figure, millimetres)
        for axes in figure.axes:
            assert axes.get_legend() is None  # legends are outside the axes


def test_a_talk_has_large_type_and_the_dark_a_dark_ground():
    for style in ("talk", "dark"):
        options = HeatmapOptions(width="slide", style=style)
        figure = draw_heatmap(make(3, 7), options)
        assert min(one.get_fontsize() for one in texts(figure) if one not in numbers(figure)) >= 12
        ground = luminance(np.array(to_rgb(figure.get_facecolor())))
        assert (ground < 0.05) == (style == "dark")


def numbers(figure):
    return [one for axes in figure.axes for one in axes.texts]


def test_pdfs_have_truetype_and_svgs_text(tmp_path):
    figure = draw_heatmap(make(3, 7), HeatmapOptions(width="column"))
    pdf, svg = save(figure, [tmp_path / "f.pdf", tmp_path / "f.svg"])
    kinds = set(re.findall(rb"/Subtype /(Type\w+|TrueType|CIDFontType2)\b", pdf.read_bytes()))
    assert b"Type3" not in kinds and kinds & {b"TrueType", b"CIDFontType2"}
    assert re.search(r"<text[^>]*>\s*layer\s*</text>", svg.read_text())


def contrast(colours, on):
    ground = luminance(np.array(to_rgb(on.paper)))
    lit = luminance(np.array(colours))
    return (np.maximum(lit, ground) + 0.05) / (np.minimum(lit, ground) + 0.05)


@pytest.mark.parametrize("style", ["paper", "dark"])
def test_lines_and_their_names_have_a_contrast_of_three(style):
    on = sheet("page", style)
    for colours in (hues(on, 9), ramp(on, 9)):
        assert (contrast(colours, on) >= 3).all()


def test_marks_and_numbers_have_a_contrast_of_three():
    """Black or white on the colour of every cell, whichever is read more easily."""
    from crosslingual.alignment.drawing import Scale

    values = np.linspace(0, 1, 201)
    for name in ("rocket", "rocket_r", "vlag"):
        dark = Scale(0.0, 1.0, name).dark(values)
        lit = luminance(mpl.colormaps[name](values)[:, :3])
        against = np.where(dark, 1.05 / (lit + 0.05), (lit + 0.05) / 0.05)
        assert (against >= 4.4).all()


def test_missing_cells_are_hatched_and_said():
    table = make(3, 7)
    table = table[(table["layer"] != 2) | (table["source"] != "de")]
    figure = draw_heatmap(table, HeatmapOptions())
    main = next(one for one in figure.axes if one.get_xlabel() == "layer")
    assert [patch.get_xy() for patch in main.patches if patch.get_hatch()] == [(2, 0)]
    assert "hatched: not scored" in figure.get_suptitle()


def test_without_n_grams_there_is_no_column_of_them():
    table = make(3, 7).assign(surface=np.nan)
    labels = [one.get_text() for one in texts(draw_heatmap(table, HeatmapOptions()))]
    assert "n-grams" not in labels and "de" in labels


def test_no_title_names_and_ends():
    options = HeatmapOptions(title=False, names="english", languages="de,zh", vmin=0.2, vmax=0.7)
    figure = draw_heatmap(make(3, 7), options)
    assert figure.get_suptitle() == ""
    assert [one.get_text() for one in figure.axes[0].get_yticklabels()] == ["German", "Chinese"]
    mesh = figure.axes[0].collections[0]
    assert mesh.get_clim() == (0.2, 0.7)
    with pytest.raises(ValueError, match="no `languages` fr there"):
        keep_chosen(make(3, 7), HeatmapOptions(languages="fr"))
    for wrong, said in (
        ({"vmin": 0.5, "vmax": 0.1}, "`vmin` 0.5 must be below `vmax` 0.1"),
        ({"width": "wide"}, "`width` must be column, page, slide or 40 to 1000 millimetres"),
        ({"width": "1e9"}, "`width` must be"),
        ({"style": "poster"}, "unknown `style` 'poster'"),
    ):
        with pytest.raises(ValueError, match=said):
            HeatmapOptions(**wrong)


def test_languages_in_themselves_where_they_can_be_set():
    """Arabic is joined and runs to the left, Chinese is not in the font: in English then."""
    found = named_languages(["de", "ru", "ar", "de-en", "no language"], "own")
    assert found == ["Deutsch", "русский", "Arabic", "Deutsch – English", "no language"]
    assert named_languages(["de", "sw"], "english") == ["German", "Swahili"]
    assert named_languages(["de", "sw"], "codes") == ["de", "sw"]


def test_layers_are_means_with_bands_as_wide_as_on_average():
    table = make(3, 7).assign(depth=lambda rows: rows["layer"] / 6)
    table = table[table["measure"] == "accuracy"]
    one = layer_points(table, LayersOptions())
    row = table[(table["source"] == "ru") & (table["layer"] == 3)].iloc[0]
    point = one[(one["line"] == "ru-en") & (one["axis"] == 3)].iloc[0]
    assert (point["value"], point["low"], point["high"]) == (row["value"], row["low"], row["high"])
    shallow = table[table["layer"] < 4].assign(checkpoint="models/y", depth=lambda r: r["layer"] / 3)
    both = layer_points(pd.concat([table, shallow]), LayersOptions())
    assert set(both["line"]) == {"models/x", "models/y"} and both["axis"].max() == 1
    at = both[(both["line"] == "models/x") & (both["axis"] == 0.5)].iloc[0]
    same = table[table["layer"] == 3]
    assert at["value"] == pytest.approx(same["value"].mean())
    assert at["high"] - at["low"] == pytest.approx((same["high"] - same["low"]).mean())
    with pytest.raises(ValueError, match="`lines` language is of one checkpoint"):
        layer_points(pd.concat([table, shallow]), LayersOptions(lines="language"))


def test_a_forest_shows_what_reaches_its_floor():
    table = make(12, 4)
    points = forest_points(table, ForestOptions(layer="2"))
    rows = table[(table["measure"] == "accuracy") & (table["layer"] == 2)]
    assert points["value"].tolist() == rows["value"].tolist()
    assert points["open"].tolist() == (rows["low"] <= 0.4).tolist()
    change = rows.assign(
        chosen="equal", delta=rows["value"] - 0.4, delta_low=rows["value"] - 0.5,
        delta_high=rows["value"] - 0.3,
    )  # fmt: skip
    found = forest_points(change, ForestOptions(shown="delta", layer="last"))
    assert found["open"].tolist() == ((rows["value"] <= 0.5) & (rows["value"] >= 0.3)).tolist()
    with pytest.raises(ValueError, match="no layers were chosen on other sentences"):
        forest_points(change, ForestOptions(shown="delta"))
    with pytest.raises(ValueError, match="`layer` 9 is not there"):
        forest_points(table, ForestOptions(layer="9"))
    many = pd.concat([table.assign(checkpoint=f"m{at}") for at in range(9)])
    with pytest.raises(ValueError, match="9 checkpoints; a forest plot has 8 at most"):
        forest_points(many, ForestOptions())


def test_principal_components_are_those_of_the_covariance():
    rng = np.random.default_rng(0)
    vectors = {
        name: rng.normal(size=(30, 5)) * [5, 2, 1, 1, 1] + shift for name, shift in (("a", 0), ("b", 3))
    }
    picture = principal(vectors)
    whole = np.concatenate(list(vectors.values()))
    values, directions = np.linalg.eigh(np.cov(whole.T))
    expected = (whole - whole.mean(0)) @ directions[:, [-1, -2]]
    found = np.concatenate(list(picture.points.values()))
    assert np.allclose(np.abs(found), np.abs(expected))
    assert (
        picture.said == f"{values[-2:].sum() / values.sum():.0%}".replace("%", " %") + " of the variance"
    )


def test_umap_is_named_where_it_is_missing():
    with pytest.raises(ValueError, match="`method` umap needs umap-learn"):
        draw_sentences({"de": np.eye(4)}, "", SentencesOptions(method="umap"))


def test_depth_takes_the_nearest_layer_and_the_smallest_first():
    table = make(3, 7)
    table = table[table["measure"] == "accuracy"].assign(parameters=2e6)
    small = scaled(table)
    values = depth_values(pd.concat([table, small]), ChosenOptions())
    assert list(values.index) == ["models/small", "models/x"]
    means = table.groupby("layer")["value"].mean()
    of_small = small.groupby("layer")["value"].mean()
    # of 7 layers at 40 % layer 2.4, so 2; of 4 at 40 % layer 1.2, so 1
    assert values.loc["models/x", "40%"] == means[2] and values.loc["models/small", "40%"] == of_small[1]
    assert values.loc["models/x", ["0%", "100%"]].tolist() == [means[0], means[6]]
    assert values.loc["models/x", "50%"] == means[3]
    with pytest.raises(ValueError, match="depth and scale need several"):
        depth_values(table, ChosenOptions())


def test_parts_are_stacked_to_their_sum():
    table = decomposed(3)
    points = part_points(table, PartsOptions(layer="1"))
    assert set(points["layer"]) == {1} and set(points["label"]) == {"l0", "l1", "l2"}
    reach = table[(table["layer"] == 1) & (table["value"].abs() <= 0.03)]
    assert points["open"].sum() == len(reach)
    figure = draw_parts(table, PartsOptions(layer="1"))
    bars = [bar for group in figure.axes[0].containers for bar in group]
    own = points[points["label"] == "l0"].set_index("part")["value"]
    drawn = [bar for bar in bars if bar.get_y() < 0.5]
    assert [bar.get_width() for bar in drawn] == pytest.approx([own[part] for part in PARTS])
    right = max(bar.get_x() + bar.get_width() for bar in drawn)
    assert right == pytest.approx(own.clip(lower=0).sum())
    best = table[table["part"] == "score"].groupby("layer")["value"].mean().idxmax()
    assert set(part_points(table, PartsOptions())["layer"]) == {best}
    with pytest.raises(ValueError, match="no `measure` mrr there: accuracy"):
        part_points(table, PartsOptions(measure="mrr"))


@pytest.mark.parametrize("at", range(8))
def test_figures_look_as_they_were_looked_at(at, tmp_path, request):
    """Against pictures that were opened and read."""
    known = request.path.parent / "looked_at" / f"{at}.png"
    figure = list(figures("column"))[at]
    figure.savefig(tmp_path / "new.png", dpi=80)
    assert known.is_file(), f"look at {tmp_path / 'new.png'} and copy it to {known}"
    assert compare_images(str(known), str(tmp_path / "new.png"), tol=12) is None
