"""TensorBoard's projector: vectors, and what they are of, as two files."""

from pathlib import Path

import numpy as np

from ...alignment.representations.given import GivenVectors
from ...alignment.representations.vector_files import open_vector_file

VECTORS, METADATA = "vectors.tsv", "metadata.tsv"


def projector_files(folder: Path, pooling: str, layer: str) -> dict[str, str]:
    """Return the two files: a row a sentence; nine digits, which give a 32-bit float back to the bit.

    Args:
        folder: of vectors that `extract` wrote, or others as `vectors:` takes them.
        pooling: which; "" for the first.
        layer: a number; last or best: the last there is.

    Raises:
        ValueError: no vectors there, a damaged file, no such pooling or layer.
    """
    given = GivenVectors(folder, pooling)
    assert given.fingerprint  # every file is the one that was written
    number = int(layer) if layer.isdecimal() else given.available[-1]
    if number not in given.available:
        raise ValueError(f"`layer` {number} is not there: {', '.join(map(str, given.available))}")
    rows, about = [], ["language\tcorpus\tid"]
    for path in given.files:
        file = open_vector_file(path)
        vectors = np.asarray(file.layer(given.available.index(number)), dtype=np.float32)
        rows += ["\t".join(f"{value:.9g}" for value in vector) for vector in vectors.tolist()]
        corpus = path.parent.relative_to(given.root).as_posix().replace(".", "")
        about += [f"{path.stem}\t{corpus}\t{_cell(one)}" for one in file.ids()]
    return {VECTORS: "\n".join(rows) + "\n", METADATA: "\n".join(about) + "\n"}


def _cell(text: str) -> str:
    return " ".join(text.split())
