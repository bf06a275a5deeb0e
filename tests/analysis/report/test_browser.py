"""The page in a browser: switches, filter, sort, errors; nothing is fetched, nothing complains.

It needs Chromium; CI_BROWSER=1 makes its absence a failure.
"""

import os
import shutil

import pytest

from crosslingual.alignment.runs.files import read_table

from .conftest import ARABIC, SCRIPT

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM:
        if os.environ.get("CI_BROWSER") == "1":
            pytest.fail("CI_BROWSER=1, but no Chromium is installed")
        pytest.skip("no Chromium is installed: the page was not tried in a browser")
    with playwright.sync_playwright() as running:
        found = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def opened(browser, page):
    """The page, and what went wrong on it so far."""
    wrong = []
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    tab.on("console", lambda one: wrong.append(one.text))
    tab.on("pageerror", lambda one: wrong.append(str(one)))
    tab.on("dialog", lambda one: (wrong.append(one.message), one.dismiss()))
    tab.on("request", lambda one: one.url.startswith("http") and wrong.append(one.url))
    tab.goto(page.as_uri())
    tab.wait_for_selector("html[data-ready=yes]")
    yield tab
    tab.close()
    assert wrong == []


def choose(tab, section, column, value):
    tab.select_option(f"#{section}-controls select[data-of='{column}']", value)


def test_the_heatmap_shows_the_scores_that_are_chosen(opened, reported):
    table = read_table(reported / "tuned" / "scores.parquet")
    name = table["checkpoint"].iloc[0]
    choose(opened, "heatmap", "checkpoint", name)
    choose(opened, "heatmap", "measure", "mrr")
    choose(opened, "heatmap", "direction", "forward")
    found = opened.evaluate("document.querySelector('#heatmap-figure').data[0]")
    rows = table[(table["measure"] == "mrr") & (table["direction"] == "forward")]
    for row in rows.to_dict("records"):
        i, j = found["y"].index(f"{row['source']}-{row['target']}"), found["x"].index(row["layer"])
        assert found["z"][i][j] == row["value"]
        assert f"({row['low']:.4f} to {row['high']:.4f})" in found["hovertext"][i][j]
        assert f"null {row['null']:.4f}" in found["hovertext"][i][j]
    opened.select_option("#heatmap-controls select >> nth=0", "Δ")
    delta = opened.evaluate("document.querySelector('#heatmap-figure').data[0].z.flat()")
    kept = read_table(reported / "tuned" / "retention" / "retention.parquet")
    assert set(delta) - {None} <= set(kept.loc[kept["chosen"] == "equal", "delta"])
    assert "reaches 0" in opened.inner_text("#heatmap-note")


def test_what_is_marked_reaches_its_floor(opened, reported):
    table = read_table(reported / "base" / "scores.parquet")
    marks = opened.evaluate("(({x, y}) => x.map((one, i) => [y[i], one]))"
                            "(document.querySelector('#heatmap-figure').data[1])")  # fmt: skip
    rows = table[(table["measure"] == "accuracy") & (table["direction"] == "mean")]
    floors = rows[["null", "surface"]].max(axis=1)
    reach = rows[rows["low"] <= floors]
    expected = {(f"{row.source}-{row.target}", row.layer) for row in reach.itertuples()}
    assert {tuple(mark) for mark in marks} == expected


def test_hovering_says_what_a_cell_is(opened):
    box = opened.locator("#heatmap-figure .nsewdrag").bounding_box()
    opened.mouse.move(box["x"] + 10, box["y"] + 10)
    opened.wait_for_selector("#heatmap-figure .hovertext")
    said = opened.text_content("#heatmap-figure .hovertext")
    assert "null" in said and "n-grams" in said and "to" in said


def test_curves_switch_between_checkpoints_and_languages(opened, reported):
    lines = (
        "document.querySelector('#curves-figure').data.filter((one) => one.name).map((one) => one.name)"
    )
    assert len(opened.evaluate(lines)) == 3  # two checkpoints and the null
    opened.select_option("#curves-controls select >> nth=0", "language")
    assert opened.evaluate(lines) == ["de-en", "ru-en", "null"]


def test_rows_are_sorted_and_filtered(opened, reported):
    table = read_table(reported / "tuned" / "retention" / "retention.parquet")
    count = f"{len(table):,}"
    assert opened.inner_text("#retention-note").startswith(f"{count} of {count} rows")
    opened.click("#retention-table button[data-of=delta]")
    opened.click("#retention-table button[data-of=delta]")
    at = opened.evaluate("[...document.querySelectorAll('#retention-table th')].findIndex("
                         "(one) => one.innerText.startsWith('Δ'))")  # fmt: skip
    first = opened.inner_text(f"#retention-table tbody tr:first-child td:nth-child({at + 1})")
    assert float(first) == pytest.approx(table["delta"].max(), abs=5e-5)
    opened.fill("#retention-controls input", "ru mrr")
    rows = table[(table["source"] == "ru") & (table["measure"] == "mrr")]
    assert opened.inner_text("#retention-note").startswith(f"{len(rows)} of")
    choose(opened, "retention", "chosen", "best")
    assert opened.inner_text("#retention-note").startswith(f"{(rows['chosen'] == 'best').sum()} of")


def test_errors_are_text_in_their_direction(opened):
    choose(opened, "errors", "query", "deu")
    assert opened.inner_text("#errors-list li:first-child dd >> nth=0") == SCRIPT
    assert opened.inner_text("#errors-list li:first-child dd >> nth=2") == ARABIC
    ways = "getComputedStyle(document.querySelectorAll('#errors-list li dd')[{}]).direction"
    assert [opened.evaluate(ways.format(at)) for at in (0, 2)] == ["ltr", "rtl"]
    assert "it" in opened.inner_text(
        "#errors-list li:first-child dd >> nth=4"
    )  # of the other checkpoint
    opened.fill("#errors-controls input", "no such words anywhere")
    assert opened.inner_text("#errors-note").startswith("0 sentences")


def test_dark_small_and_by_keyboard(opened):
    opened.click("#theme")
    opened.set_viewport_size({"width": 390, "height": 800})
    for _ in range(50):  # the figures follow a little later
        if opened.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            break
        opened.wait_for_timeout(100)
    assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")
    opened.focus("#retention-table button[data-of=verdict]")
    opened.keyboard.press("Enter")
    assert (
        opened.get_attribute("#retention-table th:has(button[data-of=verdict])", "aria-sort")
        == "ascending"
    )
