"""Tables come out of a page as they went in, to the last bit."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from crosslingual.analysis.report.payload import pack, unpack

NUMBERS = st.lists(st.floats(width=64), max_size=9)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=9)


@given(NUMBERS, st.lists(TEXTS, max_size=9), st.lists(st.integers(-(2**53), 2**53), max_size=9))
def test_what_is_packed_is_unpacked(numbers, texts, integers):
    tables = {
        "numbers": pd.DataFrame({"x": np.array(numbers, dtype=float)}),
        "texts": pd.DataFrame({"t": np.array(texts, dtype=object), "again": texts}),
        "integers": pd.DataFrame({"i": pd.array(integers, dtype="Int64")}),
    }
    found = unpack(*pack(tables))
    assert found["numbers"]["x"].to_numpy().tobytes() == np.array(numbers, dtype=float).tobytes()
    assert found["texts"]["t"].tolist() == found["texts"]["again"].tolist() == texts
    assert found["integers"]["i"].tolist() == integers


def test_what_is_missing_is_no_number_and_no_text():
    table = pd.DataFrame(
        {"i": pd.array([1, None], dtype="Int64"), "t": ["a", None], "b": [True, False], "x": [None, 2.5]}
    )
    found = unpack(*pack({"t": table}))["t"]
    assert np.array_equal(found["i"], [1, np.nan], equal_nan=True)
    assert found["t"].tolist() == ["a", ""] and found["b"].tolist() == [1, 0]
    assert np.array_equal(found["x"], [np.nan, 2.5], equal_nan=True)


def test_the_same_tables_give_the_same_bytes():
    table = {"t": pd.DataFrame({"x": [0.1, 0.2], "t": ["a", "b"]})}
    assert pack(table) == pack(table)
