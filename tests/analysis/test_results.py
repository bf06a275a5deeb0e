"""Results for a notebook: they are the table and figures of the commands, and can be compared."""

import pandas as pd
import pytest

from crosslingual.alignment.bars import in_notebook
from crosslingual.alignment.score import score
from crosslingual.analysis import align
from crosslingual.analysis.retention import retention

from ..conftest import make_tiny

SETTINGS = {"languages": "de,sw", "measures": "accuracy,debiased_linear_cka"}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    tiny, other = make_tiny(folder / "tiny"), make_tiny(folder / "other", seed=1)
    store = folder / "store"
    return store, tiny, align(tiny, store=store, **SETTINGS), align(other, store=store, **SETTINGS)


def test_a_result_is_the_score_table(results):
    store, tiny, base, _ = results
    pd.testing.assert_frame_equal(base.to_frame(), score(tiny, "pocket", store=store, **SETTINGS))
    assert base.heatmap().axes and base.heatmap("debiased_linear_cka").axes
    html = base._repr_html_()
    assert html.count("<table") == 1 and "surface" in html and "de" in html
    several = align(tiny, store=store, pooling="mean,first", **SETTINGS)
    assert several._repr_html_().count("<table") == 2, "one a pooling"
    with pytest.raises(
        ValueError, match=r"several values of pooling \(first, mean\): compare one at a time"
    ):
        several.compare(several).heatmap()


def test_comparing_is_retention(results):
    _, _, base, tuned = results
    kept = tuned.compare(base)
    pd.testing.assert_frame_equal(kept.to_frame(), retention(tuned.folder, base.folder))
    assert "2 language pairs" in kept.in_words() and kept.heatmap("debiased_linear_cka").axes
    assert "<table" in kept._repr_html_()
    assert (base.compare(base).to_frame()["delta"] == 0).all()
    back = base.compare(base).compare(kept).to_frame()
    assert back["delta"].to_numpy() == pytest.approx(-kept.to_frame()["delta"].to_numpy())
    with pytest.raises(ValueError, match="no mrr there: accuracy, debiased_linear_cka"):
        kept.heatmap("mrr")


def test_a_run_folder_is_kept_where_one_is_named(results, tmp_path):
    store, tiny, *_ = results
    align(tiny, store=store, out=tmp_path / "run", **SETTINGS)
    assert (tmp_path / "run" / "scores.parquet").is_file()


def test_bars_are_for_notebooks_without_a_report_of_their_own(monkeypatch, capsys):
    import sys

    own = print
    with in_notebook(own, "x", "y") as tick:
        assert tick is own
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    with in_notebook(None, "x", "y") as tick:
        assert tick is None
    monkeypatch.setitem(sys.modules, "ipykernel", object())
    with in_notebook(None, "encoding", "sentences") as tick:
        tick(3, 4)
        tick(4, 4)
    assert "encoding" in capsys.readouterr().err
