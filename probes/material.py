"""What is probed: labelled texts, cut into train, dev and test by item, alike in every language."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from ..data import Bitext, Sentence, Side, load
from ..data.languages import nearest
from ..data.splits import first_groups, position, refuse_leak
from ..data.tasks import Pair, load_task
from ..data.text import read_lines

TRAIN, DEV, TEST = "train", "dev", "test"
PARTS = (TRAIN, DEV, TEST)
ALL = "all"  # trained on the examples of all languages
SHARES = 0.6, 0.8  # of the groups: where dev begins, and test
BINS = 4  # of lengths


@dataclass(frozen=True)
class Probing:
    """A task to probe: a labelled one, or labels made of parallel sentences."""

    name: str
    title: str
    task: str = ""  # of `data.tasks`
    split: str = ""  # that is cut into parts; none where train, dev and test are published
    label: Callable[[str, Sequence[str]], list[str]] | None = None  # language, texts -> labels
    joint: bool = False  # a language alone has one class: trained on all of them


def _language(language: str, texts: Sequence[str]) -> list[str]:
    return [language] * len(texts)


def _length(language: str, texts: Sequence[str]) -> list[str]:
    """The quarter of a text by its number of characters among those of its language."""
    sizes = np.array(list(map(len, texts)))
    edges = np.quantile(sizes, np.arange(1, BINS) / BINS)
    return [str(number) for number in np.searchsorted(edges, sizes, side="left")]


PROBES: Mapping[str, Probing] = {
    probing.name: probing
    for probing in (
        Probing("topic", "SIB-200: the topic of a FLORES sentence, of seven", task="sib200"),
        Probing("nli", "XNLI: entailment, neutral, contradiction; dev, cut by premise", "xnli", DEV),
        Probing("paraphrase", "PAWS-X: dev, cut by row", "pawsx", DEV),
        Probing(
            "language", "the language a parallel sentence is in", label=_language, joint=True
        ),
        Probing("length", "the quarter of a sentence's length within its language", label=_length),
    )
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Labelled:
    """Examples of a language: one text or two, a class, and the group they belong to."""

    first: Side
    second: Side | None
    labels: Int64[np.ndarray, "n"]
    groups: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self.labels)

    @property
    def sides(self) -> list[Side]:
        """The texts."""
        return [self.first] if self.second is None else [self.first, self.second]


@dataclass(frozen=True, eq=False)
class Material:
    """A task's examples by language and part."""

    name: str
    classes: tuple[str, ...]
    parts: Mapping[tuple[str, str], Labelled]
    joint: bool = False

    @property
    def languages(self) -> list[str]:
        """The languages there is a test in."""
        return [language for language, part in self.parts if part == TEST]

    def trained_on(self, train: str) -> list[str]:
        """Return the languages whose examples a probe is fitted on.

        Raises:
            ValueError: no training examples in that language.
        """
        known = [language for language, part in self.parts if part == TRAIN]
        if train == ALL:
            return known
        if train not in known:
            raise ValueError(
                f"{self.name} has no training examples in {train!r}: {nearest(train, known)}"
            )
        if self.joint:
            raise ValueError(f"{self.name}: one language has one class; leave out train")
        return [train]


def load_material(
    name: str,
    *,
    languages: str = "all",
    data_dir: str | Path | None = None,
    corpus: str = "pocket",
    table: str | Path | None = None,
    seed: int = 0,
    limit: int | None = None,
) -> Material:
    """Return the examples of a probing task.

    Args:
        name: a key of `PROBES`, or any name for a table.
        languages: "all", or tags and codes joined by commas.
        data_dir: see `data.load` and `data.tasks.load_task`.
        corpus: parallel sentences, for labels that are made of them.
        table: the user's own examples: a .tsv with a header and the columns language, group, text,
            label, and text2 where there are pairs.
        seed: of the cut by group.
        limit: so many examples of a part and language, the first groups by hash.

    Raises:
        ValueError: an unknown task, labels that lack in a language, a part without examples, a class
            that training lacks, groups on both sides of the cut.
        OSError: the data is not where it was looked for.
    """
    if table is not None:
        found = list(_rows(Path(table)))
        joint = False
    else:
        if name not in PROBES:
            raise ValueError(f"unknown probing task {name!r}: {nearest(name, PROBES)}")
        probing, joint = PROBES[name], PROBES[name].joint
        made = _of_task(probing, languages, data_dir) if probing.task else None
        found = list(made or _of_corpus(probing, corpus, languages, data_dir))
    classes = tuple(dict.fromkeys(label for *_, labels in found for label in labels))
    parts = {}
    for language, part, rows, labels in found:
        sides = {part: np.arange(len(rows))} if part else _cut([group for _, group, _ in rows], seed)
        for each, chosen in sides.items():
            if limit is not None:
                chosen = chosen[first_groups([rows[i][1] for i in chosen], limit, seed)]
            if len(chosen):
                parts[language, each] = _labelled(language, rows, labels, chosen, classes)
    material = Material(name, tuple(classes), parts, joint)
    _check(material)
    return material


Row = tuple[tuple[str, ...], str, str]  # texts, group, id
Found = tuple[str, str, list[Row], list[str]]  # language, part (none: to be cut), rows, labels


def _of_task(probing: Probing, languages: str, data_dir: str | Path | None) -> Iterator[Found]:
    for split in [probing.split] if probing.split else PARTS:
        for data in load_task(probing.task, split, languages=languages, data_dir=data_dir):
            examples = [example for example in data.examples if isinstance(example, Pair)]
            rows: list[Row] = [
                ((e.first, e.second) if e.second else (e.first,), e.group, e.id) for e in examples
            ]
            part = "" if probing.split else split
            yield data.language, part, rows, [data.labels[e.label] for e in examples]


def _of_corpus(
    probing: Probing, corpus: str, languages: str, data_dir: str | Path | None
) -> Iterator[Found]:
    assert probing.label is not None
    bitexts = load(corpus, data_dir=data_dir, languages=languages)
    if not all(isinstance(bitext, Bitext) for bitext in bitexts):
        raise ValueError(f"{corpus} has no parallel sentences; take flores, ntrex, pud or pocket")
    sides = {side.language: side for b in bitexts for side in (b.target, b.source)}
    for language, side in sides.items():
        rows: list[Row] = [((s.text,), f"{corpus}/{s.group or s.id}", s.id) for s in side.sentences]
        yield language, "", rows, probing.label(language, side.texts)


def _rows(path: Path) -> Iterator[Found]:
    """Yield the examples of a user's table, language by language."""
    columns: list[str] = []
    found: dict[str, tuple[list[Row], list[str]]] = {}
    for number, line in read_lines(path):
        fields = line.split("\t")
        if not columns:
            columns = fields
            lacking = [name for name in ("language", "group", "text", "label") if name not in columns]
            if lacking:
                raise ValueError(f"{path}:{number}: no column {lacking[0]!r} among {', '.join(columns)}")
            continue
        row = dict(zip(columns, fields, strict=False))
        if len(fields) != len(columns) or not all(value.strip() for value in row.values()):
            raise ValueError(
                f"{path}:{number}: {len(fields)} fields for {len(columns)} columns, or an empty one"
            )
        rows, labels = found.setdefault(row["language"], ([], []))
        texts = (row["text"], row["text2"]) if "text2" in row else (row["text"],)
        rows.append((texts, row["group"], str(number)))
        labels.append(row["label"])
    for language, (rows, labels) in found.items():
        yield language, "", rows, labels


def _cut(groups: Sequence[str], seed: int) -> dict[str, Int64[np.ndarray, "_"]]:
    """Return the rows of train, dev and test, by a hash of their groups."""
    places = np.array([position(group, seed) for group in groups])
    number = np.searchsorted(SHARES, places, side="right")
    return {part: np.flatnonzero(number == i) for i, part in enumerate(PARTS)}


def _labelled(
    language: str,
    rows: Sequence[Row],
    labels: Sequence[str],
    chosen: Int64[np.ndarray, "_"],
    classes: Sequence[str],
) -> Labelled:
    some = [rows[i] for i in chosen]
    sides = [
        Side(language, language, tuple(Sentence(name, texts[k]) for texts, _, name in some))
        for k in range(len(some[0][0]))
    ]
    numbers = np.array([classes.index(labels[i]) for i in chosen], dtype=np.int64)
    groups = tuple(group for _, group, _ in some)
    return Labelled(sides[0], sides[1] if len(sides) > 1 else None, numbers, groups)


def _check(material: Material) -> None:
    """Refuse what no probe can be fitted on, or whose test was trained on."""
    by_part = {part: [key for key in material.parts if key[1] == part] for part in PARTS}
    for part in PARTS:
        if not by_part[part]:
            raise ValueError(f"{material.name}: no {part} examples")
    groups = {
        part: {group for key in keys for group in material.parts[key].groups}
        for part, keys in by_part.items()
    }
    for part in (DEV, TEST):
        refuse_leak(groups[TRAIN], groups[part], f"{material.name} {part}")
    for language in material.languages:
        there = set(material.parts[language, TEST].labels.tolist())
        known = {
            label
            for key in by_part[TRAIN]
            if material.joint or key[0] == language
            for label in material.parts[key].labels.tolist()
        }
        if known and not there <= known:
            lacks = material.classes[min(there - known)]
            raise ValueError(
                f"{material.name} ({language}): class {lacks!r} is in test but not in train"
            )
