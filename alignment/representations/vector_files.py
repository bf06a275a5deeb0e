"""Files of vectors, layer by layer: .npy, .safetensors, .parquet, opened the same way.

    .npy           (sentences, dim) or (layers, sentences, dim); opened as a memory map
    .safetensors   a tensor (sentences, dim) per layer, `layer_0`, `layer_6`, …
    .parquet       a row per sentence: id, and a list of dim numbers per layer, `layer_0`, …

The first two have their sentence ids in a text file of the same name, `.ids`, an id a line.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int64

from ...data.text import read_lines
from ..checkpoints.errors import refusing

if TYPE_CHECKING:
    import pyarrow

COLUMN = "layer_"


@dataclass(frozen=True)
class VectorFile:
    """A file of one language's vectors."""

    path: Path
    shape: tuple[int, int, int]  # layers, sentences, dim

    def layer(self, place: int) -> Float[np.ndarray, "n dim"]:
        """Return the vectors of the layer at a place, as the file has them; of .npy a memory map."""
        with refusing(self.path, "its vectors cannot be read"):
            if self.path.suffix == ".npy":
                found: np.ndarray = _array(self.path)[place]
                return found
            if self.path.suffix == ".safetensors":
                with _tensors(self.path) as file:
                    found = file.get_tensor(_layers(file.keys())[place])
                    return found
            return _columns(self.path)[0][place].reshape(self.shape[1:])

    def rows(self, place: int, which: Int64[np.ndarray, "n"]) -> Float[np.ndarray, "n dim"]:
        """Return the vectors of some sentences at a layer."""
        found: np.ndarray = self.layer(place)[which]
        return found

    def ids(self) -> list[str]:
        """Return the ids of the sentences, in the order of the rows.

        Raises:
            ValueError: not as many as rows, or one of them twice.
            OSError: there is no file of them.
        """
        if self.path.suffix == ".parquet":
            where, ids = self.path, _columns(self.path)[1]
        else:
            where = self.path.with_suffix(".ids")
            ids = [line.strip() for _, line in read_lines(where)]
        if len(ids) != self.shape[1]:
            raise ValueError(f"{self.path} has {self.shape[1]} rows but {where} has {len(ids)} lines")
        seen: set[str] = set()
        for one in ids:
            if one in seen:
                raise ValueError(f"{where}: the id {one!r} is there twice")
            seen.add(one)
        return ids


def open_vector_file(path: Path) -> VectorFile:
    """Return a file of vectors.

    Raises:
        ValueError: no such file, or one of no layer, sentence or dimension.
    """
    with refusing(path, f"no {path.suffix} file of vectors"):
        if path.suffix == ".npy":
            values = _array(path)
            shape, kind = values.shape, values.dtype
        elif path.suffix == ".safetensors":
            with _tensors(path) as file:
                slices = [file.get_slice(name) for name in _layers(file.keys())]
                sizes = {tuple(one.get_shape()) for one in slices}
                if len(sizes) != 1:
                    raise ValueError(
                        f"tensors layer_… of one shape are expected, it has {sizes or 'none'}"
                    )
                shape, kind = (len(slices), *sizes.pop()), np.dtype(_KINDS[slices[0].get_dtype()])
        else:
            layers, ids = _columns(path)
            kind = layers[0].dtype
            shape = len(layers), len(ids), layers[0].size // max(len(ids), 1)
    if len(shape) != 3 or kind.kind != "f" or 0 in shape:
        raise ValueError(
            f"{path}: expected floats of shape (sentences, dim) or (layers, sentences, dim), got "
            f"{kind} {shape if len(shape) != 3 or shape[0] != 1 else shape[1:]}"
        )
    return VectorFile(path, shape)


_KINDS = {"F64": "f8", "F32": "f4", "F16": "f2"}


def _array(path: Path) -> np.ndarray:
    """Return a memory map of shape (layers, sentences, dim) where there are two or three."""
    values: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    return values[None] if values.ndim == 2 else values


@contextmanager
def _tensors(path: Path) -> Iterator[Any]:
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        yield file


def _layers(names: Sequence[str]) -> list[str]:
    """Return the names of layers among others, in their order."""
    numbers = [name.removeprefix(COLUMN) for name in names if name.startswith(COLUMN)]
    return [f"{COLUMN}{number}" for number in sorted(numbers, key=int)]


def as_lists(values: Float[np.ndarray, "n dim"]) -> "pyarrow.FixedSizeListArray":
    """Return vectors as a column of lists of dim numbers."""
    import pyarrow

    flat = pyarrow.array(np.ascontiguousarray(values).ravel())
    return pyarrow.FixedSizeListArray.from_arrays(flat, values.shape[1])


def _columns(path: Path) -> tuple[list[np.ndarray], list[str]]:
    """Return of a .parquet file the flat numbers of every layer, and the ids."""
    from pyarrow.parquet import read_table

    table = read_table(path, memory_map=True)
    names = _layers(table.column_names)
    if not names or "id" not in table.column_names:
        raise ValueError("columns id and layer_… are expected")
    flat = [table[name].combine_chunks().flatten().to_numpy() for name in names]
    return flat, [str(one) for one in table["id"].to_pylist()]
