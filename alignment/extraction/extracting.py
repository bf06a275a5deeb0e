"""`extract`: a checkpoint and sentences in, files of their vectors out, at every layer.

    OUT/vectors.json                  of what they are, and the checksum of every file, written last
    OUT/mean/flores/dev/deu_Latn.npy  pooling / corpus / split / code: (layers, sentences, dim)
    OUT/mean/flores/dev/deu_Latn.ids  the ids of its sentences; .counts their tokens
    OUT/mean/de.npy                   of a file of texts, which is of no corpus

Vectors are encoded into the store, as by every verb, and copied from there in chunks. A file that is
listed in `vectors.json` and matches its checksum is not written again.
"""

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cache, partial
from pathlib import Path

import pandas as pd

from ...data import Side
from ...data.rows import Columns
from ..checkpoints.checkpoint import Checkpoint
from ..options import split_names, takes
from ..representations.given import MANIFEST
from ..representations.source import MODEL_COLUMNS, CheckpointLike, Source, open_model, open_source
from ..representations.stored import Stored
from ..runs.files import Damaged, file_checksum, read_json, write_json, write_text
from ..runs.folder import locked
from ..runs.paths import open_root
from ..runs.progress import in_notebook, stage_of
from ..runs.results import in_folder
from .extracted import Extracted
from .options import ExtractOptions
from .sentences import sides_of
from .writing import open_writer

logger = logging.getLogger(__name__)

TRAINED = ("family", "stage", "recipe", "seed")  # columns of the score table, from crosslingual.json
CHUNK = 32 << 20  # bytes of vectors that are in memory at once


@takes(ExtractOptions)
def extract(checkpoint: CheckpointLike, options: ExtractOptions) -> Extracted:
    """Write the vectors of sentences, layer by layer, to files; `vectors:FOLDER` reads them.

    Args:
        checkpoint: a folder, a hub id, or an opened checkpoint.

    Returns:
        Their folder, and how to read it: `layer(i)` (n, dim), `to_numpy()`, `to_dataset()`.

    Raises:
        ValueError: an unknown pooling, a layer out of range; a folder with vectors of something else.
        OSError: no checkpoint or corpus there; the disk is full (what is finished is kept).

    >>> found = extract("pocket-xs", ["Good morning.", "Guten Morgen."], layers="0,2")
    >>> found.layers, found.layer(2).shape
    ((0, 2), (2, 128))
    """
    return in_folder(options.out, partial(_extract_into, checkpoint, options))


def _extract_into(checkpoint: CheckpointLike, options: ExtractOptions, folder: Path) -> Extracted:
    sides = sides_of(options)
    poolings = split_names(options.pooling)
    if not poolings:
        raise ValueError("`pooling` is empty: name one, or leave it out")
    model = open_model(checkpoint, options)
    if not isinstance(model, Checkpoint):
        raise ValueError(f"{model.name}: these are vectors already; name a checkpoint")
    with ExitStack() as stack:
        progress = stack.enter_context(in_notebook(options.progress))
        source = open_source(
            model,
            sides,
            poolings=poolings,
            layers=str(options.layers),
            root=stack.enter_context(open_root(options.store)),
            store_dtype=options.store_dtype,
            batch_tokens=options.batch_tokens,
            progress=stage_of(progress, "encoding"),
        )
        source.take_share(options.share)
        stack.enter_context(locked(folder))
        made = _Made(folder, _about(model, source, options))
        represent = cache(source.represent)  # encodes what is missing, unless all files are there
        tick, done = stage_of(progress, "writing"), 0
        rows = []
        for pooling in poolings:
            for side in sides:
                path = folder / pooling / side.corpus / f"{side.code}.{options.format}"
                if not made.has(path, side):
                    vectors = represent()[pooling]
                    assert isinstance(vectors, Stored)  # of a checkpoint
                    _write(path, side, vectors, source.layers[pooling], options.store_dtype)
                    made.add(path)
                done += 1
                if tick is not None:
                    tick(done, len(poolings) * len(sides))
                corpus, _, split = side.corpus.partition("/")
                about = {"pooling": pooling, "corpus": corpus, "split": split, "code": side.code}
                where = {"sentences": len(side.sentences), "file": str(path.relative_to(folder))}
                rows.append(about | where)
    return Extracted(pd.DataFrame(rows), folder)


def _about(model: Checkpoint, source: Source, options: ExtractOptions) -> Columns:
    """Return what the vectors are of, as vectors.json keeps it."""
    return {
        "checkpoint": source.columns["checkpoint"],
        "fingerprint": source.fingerprint,
        **{name: source.columns[name] for name in MODEL_COLUMNS},
        "about": {name: model.about[name] for name in TRAINED if name in model.about},
        "last": source.last,
        "layers": {name: list(layers) for name, layers in source.layers.items()},
        "words": options.words,
        "format": options.format,
        "store_dtype": options.store_dtype,
    }


class _Made:
    """What a folder has already."""

    def __init__(self, folder: Path, about: Columns) -> None:
        """Look at the folder.

        Raises:
            ValueError: it has vectors of something else.
        """
        self.folder, self.about = folder, about
        self.files: dict[str, str] = {}
        path = folder / MANIFEST
        if not path.is_file():
            return
        try:
            known = read_json(path)
        except Damaged as error:
            logger.warning("%s; its files are written again", error)
            return
        self.files = dict(known.pop("files"))
        for name, value in about.items():
            if known.get(name) != value:
                raise ValueError(
                    f"{folder}: it has vectors with {name} {known.get(name)}, not {value}; "
                    "take another `out`"
                )

    def has(self, path: Path, side: Side) -> bool:
        """Return whether a file is finished, with these sentences."""
        known = [self.files.get(self._name(part)) for part in _parts(path)]
        if None in known:
            return False
        sums = [file_checksum(part) if part.is_file() else "" for part in _parts(path)]
        if sums != known:
            logger.warning("%s is damaged; it is written again", path)
            return False
        if path.with_suffix(".ids").read_text("utf-8") != _lines(side):
            raise ValueError(f"{path}: it has vectors of other sentences; take another `out`")
        return True

    def add(self, path: Path) -> None:
        """Note a file that was written."""
        self.files |= {self._name(part): file_checksum(part) for part in _parts(path)}
        write_json(self.folder / MANIFEST, self.about | {"files": dict(sorted(self.files.items()))})

    def _name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()


def _parts(path: Path) -> list[Path]:
    """Return a file of vectors and those that go with it."""
    return [path, path.with_suffix(".ids"), path.with_suffix(".counts")]


def _write(path: Path, side: Side, vectors: Stored, layers: Sequence[int], dtype: str) -> None:
    """Write the vectors of a side, and which sentences they are of."""
    path.parent.mkdir(parents=True, exist_ok=True)
    dim = next(vectors.chunks(side, layers[:1], 1)).shape[2]
    rows = max(1, CHUNK // (4 * dim * len(layers)))
    with open_writer(path, layers, side.ids, dim, dtype) as chunk:
        for values in vectors.chunks(side, layers, rows):
            chunk(values)
    write_text(path.with_suffix(".ids"), _lines(side))
    lines = "".join(f"{' '.join(map(str, row))}\n" for row in vectors.counts(side).tolist())
    write_text(path.with_suffix(".counts"), lines)


def _lines(side: Side) -> str:
    return "".join(f"{name}\n" for name in side.ids)
