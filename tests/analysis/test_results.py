"""Results for a notebook: they are the table and figures of the commands, and can be compared."""

from types import SimpleNamespace

import pandas as pd
import pytest

import crosslingual
from crosslingual.alignment.runs.progress import in_notebook
from crosslingual.analysis.retention.retaining import compare_runs
from tests.conftest import make_tiny
from tests.verbs import score

SETTINGS = {"languages": "de,sw", "measures": "accuracy,debiased_linear_cka"}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    tiny, other = make_tiny(folder / "tiny"), make_tiny(folder / "other", seed=1)
    store = folder / "store"
    return (
        store,
        tiny,
        crosslingual.score(tiny, store=store, **SETTINGS),
        crosslingual.score(other, store=store, **SETTINGS),
    )


def test_a_result_is_the_score_table(results):
    store, tiny, base, _ = results
    pd.testing.assert_frame_equal(base.to_frame(), score(tiny, "pocket", store=store, **SETTINGS))
    assert base.heatmap().axes and base.heatmap("debiased_linear_cka").axes
    html = base._repr_html_()
    assert html.count("<table") == 1 and "surface" in html and "de" in html
    several = crosslingual.score(tiny, store=store, pooling="mean,first", **SETTINGS)
    assert several._repr_html_().count("<table") == 2, "one a pooling"
    with pytest.raises(
        ValueError, match=r"several values of pooling \(first, mean\): choose one with `pooling`"
    ):
        several.retention(several).heatmap()


def test_retention_is_that_of_the_run_folders(results):
    _, _, base, tuned = results
    kept = tuned.retention(base)
    pd.testing.assert_frame_equal(kept.to_frame(), compare_runs(tuned.folder, base.folder))
    assert "2 language pairs" in kept.in_words() and kept.heatmap("debiased_linear_cka").axes
    assert "<table" in kept._repr_html_()
    assert (base.retention(base).to_frame()["delta"] == 0).all()
    back = base.retention(base).difference(kept).to_frame()
    assert back["delta"].to_numpy() == pytest.approx(-kept.to_frame()["delta"].to_numpy())
    with pytest.raises(
        ValueError, match="no `measure` mrr there: there are accuracy, debiased_linear_cka"
    ):
        kept.heatmap("mrr")


def test_a_run_folder_is_kept_where_one_is_named(results, tmp_path):
    store, tiny, *_ = results
    crosslingual.score(tiny, store=store, out=tmp_path / "run", **SETTINGS)
    assert (tmp_path / "run" / "scores.parquet").is_file()


def test_bars_are_for_notebooks_without_a_report_of_their_own(monkeypatch, capsys):
    import sys

    own = print
    with in_notebook(own) as report:
        assert report is own
    monkeypatch.setitem(sys.modules, "ipykernel", object())  # imported, but no kernel
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    with in_notebook(None) as report:
        assert report is None
    kernel = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=object()))
    monkeypatch.setitem(sys.modules, "IPython", kernel)
    with in_notebook(None) as report:
        report("encoding", 3, 4)
        report("scoring", 1, 4)
        report("encoding", 4, 4)
    shown = capsys.readouterr().err
    assert "encoding" in shown and "scoring" in shown


def test_what_retention_shows_is_what_was_asked_for(tmp_path):
    """`measure` is the default of every later view; a wrong one is refused with what there is."""
    options = {"languages": "de,sw", "layers": "0,1", "measures": "accuracy,mrr"}
    base, tuned = (
        crosslingual.score(make_tiny(tmp_path / f"tiny{seed}", seed=seed), **options) for seed in (0, 1)
    )
    change = crosslingual.retention(tuned, base=base, measure="mrr")
    assert change.in_words() == change.in_words("mrr") != change.in_words("accuracy")
    wrong = crosslingual.retention(tuned, base=base, measure="mrrr")
    with pytest.raises(ValueError, match="no `measure` mrrr there: did you mean mrr"):
        wrong.in_words()
