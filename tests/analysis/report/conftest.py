"""Runs to report of: a base, what was made of it, their comparison, and texts that a page must not obey."""

import pytest

import crosslingual
from crosslingual.alignment.runs.files import read_table, write_table
from crosslingual.analysis.report.making import report
from tests.conftest import make_corpora, make_tiny

SCRIPT = "<script>alert(1)</script> & </script>"
ARABIC = "ذهب القط إلى السوق ليشتري السمك."


@pytest.fixture(scope="session")
def reported(tmp_path_factory):
    """The folder of two runs, base and tuned, with a comparison in tuned/retention."""
    folder = tmp_path_factory.mktemp("report")
    data = make_corpora(folder / "data")
    for name, seed in (("base", 0), ("tuned", 1)):
        model = make_tiny(folder / f"model-{name}", seed=seed)
        for corpus in ("tatoeba", "flores/dev"):
            out = folder / (name if corpus == "tatoeba" else f"{name}-dev")
            crosslingual.score(
                model, corpus=corpus, data_dir=data, languages="de,ru", out=out,
                measures="accuracy,mrr", errors=corpus == "tatoeba", store=folder / "store",
            )  # fmt: skip
        missed = read_table(folder / name / "errors.parquet")
        missed.loc[missed["query"] == "deu", ["text", "found"]] = SCRIPT, ARABIC
        write_table(folder / name, "errors", missed)
    options = {"base": folder / "base", "margin": 0.05, "seed": 1}
    dev = {"dev": folder / "tuned-dev", "base_dev": folder / "base-dev"}
    crosslingual.retention(folder / "tuned", **options, **dev, out=folder / "tuned" / "retention")
    return folder


@pytest.fixture(scope="session")
def page(reported):
    """The file of a page of both."""
    return report([reported / "base", reported / "tuned"], out=reported / "page" / "both.html")
