"""What has no value is said once for a reason, with how often, and nothing else is."""

import logging

import numpy as np
import pandas as pd

from crosslingual.alignment.scoring.undefined import say_undefined


def table(pairs, why):
    rows = [
        {
            "corpus": "c", "source": f"l{pair}", "target": "en", "pooling": "mean", "map": "none",
            "measure": measure, "layer": layer, "value": value, "note": note,
        }
        for pair in range(pairs)
        for measure in ("anc", "rsa", "accuracy")
        for layer in (0, 1, 2)
        for value, note in [why(pair, measure, layer)]
    ]  # fmt: skip
    return pd.DataFrame(rows)


def said(caplog, one):
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        say_undefined(one)
    return [record.getMessage() for record in caplog.records]


def test_one_line_a_kind(caplog):
    def why(pair, measure, layer):
        if measure != "accuracy" and layer < 2:
            return np.nan, "too many sentences"
        return (np.nan, "") if (pair, measure, layer) == (4, "accuracy", 2) else (0.5, "")

    assert said(caplog, table(120, why)) == [
        "c: anc, rsa: no value at layer 0, 1 in 120 of 120 (l0-en, l1-en, l2-en, …): too many sentences",
        "c: accuracy: no value at layer 2 in 1 of 120 (l4-en): nothing varies",
    ]


def test_other_layers_are_another_line(caplog):
    lines = said(caplog, table(2, lambda pair, _, layer: (np.nan, "x") if layer == pair else (1.0, "")))
    assert len(lines) == 2 and "layer 0 in 1 of 2 (l0-en)" in lines[0] and "layer 1" in lines[1]


def test_nothing_is_said_where_all_have_values(caplog):
    assert said(caplog, table(3, lambda *_: (1.0, "a note"))) == []
