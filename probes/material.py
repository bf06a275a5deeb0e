"""What is probed: labelled texts or words, cut into train, dev and test by item."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from ..data import Side
from ..data.languages import choose
from ..data.nearest import closest
from ..data.splits import first_groups, position, refuse_leak
from .tasks import PROBES, SENTENCES, Item, TaskSplit, of_corpus, of_table, of_tasks

logger = logging.getLogger(__name__)

TRAIN, DEV, TEST = "train", "dev", "test"
PARTS = (TRAIN, DEV, TEST)
ALL = "all"  # trained on the examples of all languages
SHARES = 0.6, 0.8  # of the groups: where dev begins, and test
RARE = 0.05  # of a test: this share of it may be of classes that are not in its training


@dataclass(frozen=True, eq=False)
class Labelled:
    """Examples of a language: a text, two, or a word in its sentence; a class, and their group."""

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
    trees: bool = False

    @cached_property
    def of_words(self) -> bool:
        """Whether the examples are words in their sentences."""
        return all(part.first.sentences[0].context is not None for part in self.parts.values())

    @property
    def languages(self) -> list[str]:
        """The languages there is a test in."""
        return [language for language, part in self.parts if part == TEST]

    def trained_on(self, train: str) -> list[str]:
        """Return the languages whose examples a probe is fitted on.

        Raises:
            ValueError: no training examples in that language, or none that a probe can be fitted on.
        """
        known = [language for language, part in self.parts if part == TRAIN]
        if train == ALL:
            self.refuse_untrainable(known)
            return known
        if train not in known:
            raise ValueError(
                f"{self.name} has no training examples in {train!r}: {closest(train, known)}"
            )
        if self.joint:
            raise ValueError(f"{self.name}: one language has one class; leave out train")
        self.refuse_untrainable([train])
        return [train]

    def refuse_untrainable(self, languages: Sequence[str]) -> None:
        """Refuse languages that no probe can be fitted in, all together.

        Raises:
            ValueError: no training or dev examples, fewer than classes, one class only, dev without any
                class of training.
        """
        named = ", ".join(languages)
        labels = {}
        for part in (TRAIN, DEV):
            some = [self.parts[one, part].labels for one in languages if (one, part) in self.parts]
            if not some:
                raise ValueError(f"{self.name}: no {part} examples in {named}")
            labels[part] = np.concatenate(some)
        if self.trees:
            return
        y = labels[TRAIN]
        where = f"{self.name}: the {len(y)} training examples in {named}"
        if len(np.unique(y)) < 2:
            raise ValueError(f"{where} are all {self.classes[y[0]]!r}: nothing to tell apart")
        if len(y) < len(self.classes):
            raise ValueError(f"{where} are fewer than the {len(self.classes)} classes")
        if not np.isin(labels[DEV], y).any():
            raise ValueError(f"{self.name}: no dev example in {named} is of a class of training")

    def only(self, train: Sequence[str], tests: Sequence[str]) -> "Material":
        """Return the examples that probes need which are learnt and tested in some languages.

        Raises:
            ValueError: no test in one of them.
        """
        missing = [one for one in tests if one not in self.languages]
        if missing:
            raise ValueError(
                f"{self.name} has no test in {', '.join(missing)}: {', '.join(self.languages)}"
            )
        kept = {
            key: part
            for key, part in self.parts.items()
            if key[0] in tests or (key[1] != TEST and (ALL in train or key[0] in train))
        }
        return replace(self, parts=kept)

    def unseen(self, train: Sequence[str], language: str) -> int:
        """Return how many tests are of a class that is not in training: none can be right."""
        known = np.concatenate([self.parts[one, TRAIN].labels for one in train])
        return int((~np.isin(self.parts[language, TEST].labels, known)).sum())


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

    A language of which train, dev and test are at hand keeps them. Otherwise the one split there is, or
    the one next to train, is cut by group, at the same places in every language; what of it would be
    training is left out where train is at hand. A test with dev alone is kept, and dev cut.

    Args:
        name: a key of `PROBES`, or any name for a table.
        languages: "all", or tags and codes joined by commas.
        data_dir: see `data.load` and `data.tasks.load_task`.
        corpus: parallel sentences, for labels that are made of them.
        table: the user's own examples: a .tsv with a header and the columns language, group, text,
            label, and text2 where there are pairs.
        seed: of the cut by group.
        limit: at most this many examples (or sentences whose words they are) of a part and language,
            the first groups by hash. By default all texts; `SENTENCES` sentences, where words are
            probed.

    Raises:
        ValueError: an unknown task, labels that lack in a language, a part without examples, more than
            a few tests of classes that are not in training, groups on both sides of the cut.
        OSError: the data is not where it was looked for.
    """
    joint = trees = False
    if table is not None:
        found = list(of_table(Path(table)))
        codes = [one.language for one in found]
        found = [one for one in found if one.language in choose(languages, codes)]
    elif name in PROBES:
        probing = PROBES[name]
        joint, trees = probing.joint, probing.trees
        if probing.words and limit is None:
            limit = SENTENCES
            logger.info("%s: at most %d sentences of a part and language (`limit`)", name, limit)
        if probing.tasks:
            found = list(of_tasks(probing, languages, data_dir))
        else:
            found = list(of_corpus(probing, corpus, languages, data_dir))
    else:
        raise ValueError(f"unknown probing task {name!r}: {closest(name, PROBES)}")
    labels = (label for one in found for item in one.items for _, label in item.examples)
    classes = tuple(dict.fromkeys(labels))
    parts = {}
    for (language, part), items in _parts(found, seed).items():
        if limit is not None:
            items = [items[i] for i in first_groups([item.group for item in items], limit, seed)]
        if any(item.examples for item in items):
            parts[language, part] = _labelled(language, items, classes)
    material = Material(name, classes, parts, joint, trees)
    _check(material)
    _tell_repeated(material)
    return material


def _parts(found: Sequence[TaskSplit], seed: int) -> dict[tuple[str, str], list[Item]]:
    """Return the items of each language and part."""
    known: dict[str, dict[str, dict[str, list[Item]]]] = {}
    for one in found:
        known.setdefault(one.language, {}).setdefault(one.source, {})[one.split] = one.items
    parts: dict[tuple[str, str], list[Item]] = {}
    for language, sources in known.items():
        first, *_, last = *sources.values(), *sources.values()
        taken = {**_cut(first, seed), TEST: _cut(last, seed).get(TEST, [])}
        parts |= {(language, part): items for part, items in taken.items() if items}
    return parts


def _cut(splits: Mapping[str, list[Item]], seed: int) -> dict[str, list[Item]]:
    """Return train, dev and test, by a hash of the groups where they are not published."""
    if set(splits) == set(PARTS):
        return dict(splits)
    parts: dict[str, list[Item]] = {part: [] for part in PARTS}
    for item in next(items for split, items in splits.items() if split != TRAIN or len(splits) == 1):
        parts[PARTS[np.searchsorted(SHARES, position(item.group, seed), side="right")]].append(item)
    if set(splits) == {DEV, TEST}:
        return parts | {TEST: splits[TEST]}
    return parts | ({TRAIN: splits[TRAIN]} if TRAIN in splits and len(splits) > 1 else {})


def _labelled(language: str, items: Sequence[Item], classes: Sequence[str]) -> Labelled:
    numbers = {label: number for number, label in enumerate(classes)}
    texts, labels = zip(*(example for item in items for example in item.examples), strict=True)
    sides = [Side(language, language, side) for side in zip(*texts, strict=True)]
    return Labelled(
        sides[0],
        sides[1] if len(sides) > 1 else None,
        np.array([numbers[label] for label in labels], np.int64),
        tuple(item.group for item in items for _ in item.examples),
    )


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
        advice = "give every language the same splits, or none"
        refuse_leak(groups[TRAIN], groups[part], f"{material.name} {part}", advice)
    for language in material.languages:
        if (language, TRAIN) in material.parts and not material.trees:
            known = [one for one, _ in by_part[TRAIN]] if material.joint else [language]
            share = material.unseen(known, language) / len(material.parts[language, TEST])
            if share > RARE:
                raise ValueError(
                    f"{material.name} ({language}): {share:.0%} of the test is of classes that its "
                    f"training does not have ({_unseen_names(material, known, language)})"
                )


def _tell_repeated(material: Material) -> None:
    """Warn of test texts that stand in training, too, under another group."""
    if material.of_words:
        return
    for language in material.languages:
        if (language, TRAIN) not in material.parts:
            continue
        trained, tested = (
            list(zip(*(side.texts for side in material.parts[language, part].sides), strict=True))
            for part in (TRAIN, TEST)
        )
        known = set(trained)
        repeated = sum(one in known for one in tested)
        if repeated:
            logger.warning(
                "%s (%s): %d of %d test texts stand in training, too, under another group",
                *(material.name, language, repeated, len(tested)),
            )


def _unseen_names(material: Material, train: Sequence[str], language: str) -> str:
    known = np.concatenate([material.parts[one, TRAIN].labels for one in train])
    lacking = np.setdiff1d(material.parts[language, TEST].labels, known)
    return ", ".join(material.classes[one] for one in lacking)
