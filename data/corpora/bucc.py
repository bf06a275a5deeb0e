"""BUCC 2017/2018, bitext mining: `zh-en.sample.zh`, `zh-en.sample.en`, `zh-en.sample.gold`.

The splits are the shared task's: sample, training, test (without gold). XTREME and copies of it call the
sample `dev` and the training split `test`; a file of that name is read as what it is. A score on the
sample does not compare with published ones, which are of the training or the test split.
"""

from pathlib import Path

from ..bitext import Sentence, Side
from ..haystack import Haystack, read_haystack
from ..hub import configs, rows
from ..languages import standard_tag
from ..text import first_existing
from .reader import Haystacks

PIVOT = "en"
HUB, REVISION = (
    "mteb/BUCC",
    "414572247440f0ccacf7eb0bb70a31533a0e5443",
)  # whole: mteb cuts it when it runs
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


def hub_codes(split: str) -> list[str]:
    """Return the codes of the languages on the hub, English last.

    Raises:
        OSError: it cannot be read; it has the training split only.
    """
    if split != "training":
        raise OSError(f"{HUB} has bucc/training only; `data_dir` names a folder with bucc/{split}")
    pairs = [name for name in configs(HUB, REVISION) if name.endswith(f"-{PIVOT}")]
    return [*sorted(name.removesuffix(f"-{PIVOT}") for name in pairs), PIVOT]


def hub_read(split: str, code: str) -> Haystack:
    """Return the training haystack of a language and English: one row, whose gold counts from 1."""
    (row,) = rows(HUB, f"{code}-{PIVOT}", "test", ["sentence1", "sentence2", "gold"], REVISION)
    sides = []
    for name, texts in ((code, row["sentence1"]), (PIVOT, row["sentence2"])):
        numbered = enumerate(texts, start=1)
        sentences = tuple(Sentence(f"{name}-{i}", text.strip()) for i, text in numbered)
        sides.append(Side(standard_tag(name), name, sentences))
    gold = dict.fromkeys((f"{code}-{i}", f"{PIVOT}-{j}") for i, j in row["gold"])
    return Haystack("bucc", split, sides[0], sides[1], tuple(gold))


READER = Haystacks(codes, read, hub_codes, hub_read)
