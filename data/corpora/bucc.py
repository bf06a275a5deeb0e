"""BUCC 2017/2018, bitext mining: `zh-en.sample.zh`, `zh-en.sample.en`, `zh-en.sample.gold`.

The splits are the shared task's: sample, training, test (without gold). XTREME and copies of it call the
sample `dev` and the training split `test`; a file of that name is read as what it is. A score on the
sample does not compare with published ones, which are of the training or the test split.
"""

from pathlib import Path

from ..haystack import Haystack, read_haystack
from ..text import first_existing
from .reader import Haystacks

PIVOT = "en"
# our split: the names under which its files go around, the shared task's own first
NAMES = {"sample": ("sample", "dev"), "training": ("training", "train"), "test": ("test",)}


def codes(root: Path, split: str) -> list[str]:
    """Return the codes of the languages of a split in a folder, English last."""
    found = {
        path.name.split("-")[0]
        for name in NAMES[split]
        for path in (*root.glob(f"*-en.{name}.en*"), *root.glob(f"*-en/*-en.{name}.en*"))
    }
    if not found:
        raise OSError(f"{root}: no XX-en.{NAMES[split][0]}.en files there (BUCC 2018's layout)")
    return [*sorted(found), PIVOT]


def read(root: Path, split: str, code: str, limit: int | None = None) -> Haystack:
    """Return the haystack of a language and English, with its gold where there is one.

    Raises:
        ValueError: see `read_haystack`.
        OSError: the files are not there.
    """
    paths = {
        ending: first_existing(
            [
                folder / f"{code}-{PIVOT}.{name}.{ending}"
                for name in NAMES[split]
                for folder in (root, root / f"{code}-{PIVOT}")
            ]
        )
        for ending in (code, PIVOT, "gold")
    }
    source, target = paths[code], paths[PIVOT]
    if source is None or target is None:
        raise OSError(f"{root}: no {code}-{PIVOT}.{NAMES[split][0]}.{code} and .{PIVOT} there")
    return read_haystack(
        source, target, paths["gold"], languages=(code, PIVOT), corpus="bucc", split=split, limit=limit
    )


READER = Haystacks(codes, read)
