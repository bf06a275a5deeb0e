"""Tables as typed arrays: what a page takes its numbers from, to the last bit.

Texts are codes into a list of words, numbers 64-bit floats (nan where there is none), little-endian, one
array after the other, each at a multiple of eight bytes; the whole is compressed.
"""

import base64
import gzip
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

ALIGNED = 8  # bytes: typed arrays begin at multiples of their items' size


def pack(tables: Mapping[str, pd.DataFrame]) -> tuple[dict[str, Any], str]:
    """Return what is where, and all arrays in one text (gzip, base64).

    Args:
        tables: by name; columns of numbers, truth values or texts.

    Returns:
        name -> rows, columns: name -> at (byte), and words for a text.
    """
    blob = bytearray()
    header: dict[str, Any] = {}
    for name, table in tables.items():
        columns: dict[str, Any] = {}
        for column in table:
            values, words = _coded(table[column])
            blob += bytes(-len(blob) % ALIGNED)
            columns[str(column)] = {"at": len(blob)} | ({} if words is None else {"words": words})
            blob += values.tobytes()
        header[name] = {"rows": len(table), "columns": columns}
    return header, base64.b64encode(gzip.compress(bytes(blob), 6, mtime=0)).decode()


def _coded(column: pd.Series) -> tuple[np.ndarray, list[str] | None]:
    """Return a column's array, and the words that its codes are of, where it is one of texts."""
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype="<f8", na_value=np.nan), None
    codes, words = pd.factorize(column.astype("string").fillna(""))
    return codes.astype("<u4"), [str(word) for word in words]


def unpack(header: Mapping[str, Any], blob: str) -> dict[str, pd.DataFrame]:
    """Return the tables that a page has: what its script reads.

    Args:
        header: of `pack`.
        blob: likewise.
    """
    data = gzip.decompress(base64.b64decode(blob))
    tables = {}
    for name, about in header.items():
        columns = {}
        for column, known in about["columns"].items():
            kind = "<u4" if "words" in known else "<f8"
            values = np.frombuffer(data, kind, about["rows"], known["at"])
            columns[column] = (
                np.array(known["words"], dtype=object)[values] if "words" in known else values
            )
        tables[name] = pd.DataFrame(columns)
    return tables
