"""Writing files of vectors, chunk by chunk: what is written is never in memory as a whole."""

import io
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ..representations.vector_files import COLUMN, as_lists
from ..runs.files import replacing

Chunk = Callable[[Float[np.ndarray, "layers n dim"]], None]
_TENSOR = {"float32": "F32", "float16": "F16"}


@contextmanager
def open_writer(
    path: Path, layers: Sequence[int], ids: Sequence[str], dim: int, dtype: str
) -> Iterator[Chunk]:
    """Give a function that takes the vectors of the next sentences; at the end the file is there.

    Args:
        path: .npy, .safetensors or .parquet, see `vector_files`; replaced if it is there.
        layers: the layers' numbers.
        ids: of all sentences, in the order in which their vectors come.
        dim: of the vectors.
        dtype: float32 or float16.

    Raises:
        OSError: the disk is full or read-only; nothing half-written stays.
    """
    write = _parquet if path.suffix == ".parquet" else _raw
    with (
        replacing(path) as unfinished,
        write(unfinished, path.suffix, layers, ids, dim, dtype) as chunk,
    ):
        yield chunk


@contextmanager
def _raw(
    path: Path, suffix: str, layers: Sequence[int], ids: Sequence[str], dim: int, dtype: str
) -> Iterator[Chunk]:
    """Write a header, then layer after layer: .npy and .safetensors differ in the header only."""
    start, n, size = _header(suffix, layers, len(ids), dim, dtype), 0, np.dtype(dtype).itemsize
    with path.open("wb") as stream:
        stream.write(start)

        def chunk(values: Float[np.ndarray, "layers n dim"]) -> None:
            nonlocal n
            for place, layer in enumerate(values.astype(dtype, copy=False)):
                stream.seek(len(start) + (place * len(ids) + n) * dim * size)
                stream.write(np.ascontiguousarray(layer).data)
            n += values.shape[1]

        yield chunk


def _header(suffix: str, layers: Sequence[int], n: int, dim: int, dtype: str) -> bytes:
    if suffix == ".npy":
        stream = io.BytesIO()
        about = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": (len(layers), n, dim)}
        np.lib.format.write_array_header_1_0(stream, about)
        return stream.getvalue()
    size = n * dim * np.dtype(dtype).itemsize
    tensors = {
        f"{COLUMN}{layer}": {
            "dtype": _TENSOR[dtype],
            "shape": [n, dim],
            "data_offsets": [place * size, (place + 1) * size],
        }
        for place, layer in enumerate(layers)
    }
    text = json.dumps(tensors).encode()
    text += b" " * (-len(text) % 8)  # the numbers begin at a multiple of eight bytes
    return len(text).to_bytes(8, "little") + text


@contextmanager
def _parquet(
    path: Path, suffix: str, layers: Sequence[int], ids: Sequence[str], dim: int, dtype: str
) -> Iterator[Chunk]:
    """Write a row group for every chunk."""
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    kind = pyarrow.list_(pyarrow.from_numpy_dtype(np.dtype(dtype)), dim)
    names = [f"{COLUMN}{layer}" for layer in layers]
    schema = pyarrow.schema([("id", pyarrow.string()), *((name, kind) for name in names)])
    done = 0
    with ParquetWriter(path, schema, compression="none") as writer:

        def chunk(values: Float[np.ndarray, "layers n dim"]) -> None:
            nonlocal done
            stop = done + values.shape[1]
            columns = [as_lists(layer) for layer in values.astype(dtype, copy=False)]
            writer.write_table(
                pyarrow.Table.from_arrays([pyarrow.array(ids[done:stop]), *columns], schema=schema)
            )
            done = stop

        yield chunk
