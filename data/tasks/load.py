"""From the name of a task to its examples, language by language."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from ..hub import rows
from ..languages import choose, standard_tag
from ..nearest import closest
from ..rows import Row
from .examples import KINDS, Example, Span
from .files import Located
from .table import TASKS, Hub, Local, Task

SPLITS = ("train", "dev", "test")


@dataclass(frozen=True)
class TaskData:
    """A task's examples in one language, and the labels that theirs number."""

    task: Task
    split: str
    language: str  # tag
    labels: tuple[str, ...]
    examples: tuple[Example, ...]

    @property
    def name(self) -> str:
        """Name it in messages."""
        return f"{self.task.name}/{self.split} ({self.language})"

    def having(self, examples: Sequence[Example]) -> "TaskData":
        """Return the same with other examples."""
        return replace(self, examples=tuple(examples))


def find_task(name: str) -> Task:
    """Return a task of `TASKS`.

    Raises:
        ValueError: there is none of that name; the nearest ones are given.
    """
    if name not in TASKS:
        raise ValueError(f"unknown task {name!r}: {closest(name, TASKS)}")
    return TASKS[name]


def languages_of(name: str, data_dir: str | Path | None = None) -> dict[str, list[str]]:
    """Return the splits there are of a task, and the tags of the languages in each.

    Of a task on the hub the languages are not known: none are listed.
    """
    task = find_task(name)
    root = _root(task, data_dir)
    if root is None or task.local is None:
        return {split: [] for split in (task.hub.splits if task.hub else ())}
    found = {split: _files(task.local, root, split) for split in SPLITS}
    return {
        split: [task.tags.get(code) or standard_tag(code) for code in files]
        for split, files in found.items()
        if files
    }


def load_task(
    name: str,
    split: str,
    *,
    languages: str = "all",
    data_dir: str | Path | None = None,
    labels: Sequence[str] | None = None,
    file: Path | None = None,
) -> list[TaskData]:
    """Return the examples of a task in some languages.

    Args:
        name: a key of `TASKS`.
        split: train, dev or test.
        languages: "all", or tags and codes joined by commas.
        data_dir: a folder that holds the task's folder, or that folder; otherwise the environment
            variable CROSSLINGUAL_DATA, otherwise the hub.
        labels: of a task whose labels are those of its training data: theirs.
        file: read this file of the task's published format instead (in English, or `languages`).

    Raises:
        ValueError: unknown task, split or language; a missing column, a label outside the map, an
            answer that is not in its context, no example at all: with file and line.
        OSError: the data is not where it was looked for.
    """
    task = find_task(name)
    if task.parts:
        parts = [load_task(p, split, languages=languages, data_dir=data_dir) for p in task.parts]
        examples = [example for part in parts for one in part for example in one.examples]
        return [TaskData(task, split, "en", task.labels, tuple(examples))]
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}: {closest(split, SPLITS)}")
    found: list[TaskData] = []
    for tag, located in _sources(task, split, languages, data_dir, file):
        fields = list(located)
        names = tuple(labels or task.labels) or _labels_of(task, fields)
        examples = [_example(task, where, row, names) for where, row in fields]
        if not examples:
            raise ValueError(f"{task.name}/{split} ({tag}): no examples there")
        found.append(TaskData(task, split, tag, names, tuple(examples)))
    return found


def _sources(
    task: Task, split: str, languages: str, data_dir: str | Path | None, file: Path | None
) -> Iterator[tuple[str, Iterator[tuple[str, Row]]]]:
    """Yield the language and the fields of every example, with where each is."""
    if file is not None:
        language = "en" if languages == "all" else standard_tag(languages)
        yield language, _local_rows(task, split, [file])
        return
    root = _root(task, data_dir)
    if root is not None and task.local is not None:
        by_code = _files(task.local, root, split)
        if not by_code:
            looked = ", ".join(task.local.files.get(split, ())) or f"no {split} split"
            raise OSError(f"{root}: nothing of {task.name}/{split} there ({looked})")
        tags = {code: task.tags.get(code) or standard_tag(code) for code in by_code}
        for code in choose(languages, by_code, tags):
            yield tags[code], _local_rows(task, split, by_code[code])
        return
    if task.hub is None:
        raise OSError(f"{task.name} is on no hub; `data_dir` names the folder that holds it")
    if split not in task.hub.splits:
        raise ValueError(f"{task.name} has no {split} split on the hub: {', '.join(task.hub.splits)}")
    codes = [""] if "{code}" not in task.hub.config else _hub_codes(task, languages)
    tags = {code: tag for tag, code in task.hub.names.items()}
    for code in codes:
        yield tags.get(code) or standard_tag(code or "en"), _hub_rows(task, task.hub, split, code)


def _root(task: Task, data_dir: str | Path | None) -> Path | None:
    base = data_dir or os.environ.get("CROSSLINGUAL_DATA")
    if base is None:
        return None
    for folder in (task.name, task.name.partition("-")[0], f"english/{task.name}"):
        if (Path(base) / folder).is_dir():
            return Path(base) / folder
    return Path(base) if data_dir else None


def _files(local: Local, root: Path, split: str) -> dict[str, list[Path]]:
    """Return the files of a split by language code."""
    found: dict[str, list[Path]] = {}
    for pattern in local.files.get(split, ()):
        exact = re.escape(pattern).replace(r"\*", "[^/]*").replace(r"\[123\]", "[123]")
        exact = exact.replace(r"\{code\}", "(?P<code>[A-Za-z_-]+)", 1).replace(r"\{code\}", "(?P=code)")
        for path in sorted(root.glob(pattern.replace("{code}", "*") + "*")):
            match = re.fullmatch(exact + r"(\.gz|\.xz)?", path.relative_to(root).as_posix())
            if match:
                found.setdefault(match.groupdict().get("code", "en"), []).append(path)
    return found


def _local_rows(task: Task, split: str, paths: Sequence[Path]) -> Iterator[tuple[str, Row]]:
    assert task.local is not None
    located = chain.from_iterable(map(task.local.read, paths))
    return _fields(task, split, located, task.local.fields)


def _hub_codes(task: Task, languages: str) -> list[str]:
    if languages == "all":
        raise ValueError(f"{task.name} comes from the hub by language; `languages` must name them")
    assert task.hub is not None
    return [task.hub.names.get(standard_tag(one), one) for one in languages.split(",")]


def _hub_rows(task: Task, hub: Hub, split: str, code: str) -> Iterator[tuple[str, Row]]:
    config = hub.config.replace("{code}", code)

    def located() -> Located:
        for there in hub.splits[split]:
            table = rows(hub.id, config, there, hub.columns, hub.revision or None)
            yield from ((f"{hub.id} ({config}, {there}) row {i}", row) for i, row in enumerate(table))

    return _fields(task, split, located(), hub.fields)


def _fields(task: Task, split: str, located: Located, fields: Any) -> Iterator[tuple[str, Row]]:
    """Turn rows into fields; rows whose label says that they have none are left out."""
    for number, (where, row) in enumerate(located):
        try:
            there = fields(row, number, split)
        except KeyError as error:
            raise ValueError(f"{where}: no column {error}; there are {', '.join(row)}") from None
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
        if str(there.get("label")) not in task.skip:
            yield where, there


def _labels_of(task: Task, located: Sequence[tuple[str, Row]]) -> tuple[str, ...]:
    if task.kind != "tagging":
        return ()
    return tuple(sorted({str(tag) for _, row in located for tag in row["tags"]}))


def _example(task: Task, where: str, row: Row, labels: Sequence[str]) -> Example:
    try:
        example = KINDS[task.kind](row, labels, task.names)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{where}: {error}") from None
    if isinstance(example, Span) and not (example.answers or task.unanswerable):
        raise ValueError(f"{where}: no answer there; are this split's labels withheld?")
    return example
