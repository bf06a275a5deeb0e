"""The tasks that are probed: a table to read, and how each one's examples are made."""

import logging
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..data import Bitext, Sentence, load
from ..data.bitext import Context
from ..data.languages import standard_tag
from ..data.table_file import read_rows, text_of
from ..data.tasks import Pair, Tagged, TaskData, load_task
from ..data.tasks.files import word_spans
from ..data.tasks.load import languages_of

logger = logging.getLogger(__name__)

BINS = 4  # of lengths
SENTENCES = 1_000  # of a part and language, where examples are words


class Item(NamedTuple):
    """What is drawn at once: an example, or all words of a sentence; and what it must not leave."""

    group: str
    examples: list[tuple[tuple[Sentence, ...], str]]  # a text or two, and the label


class TaskSplit(NamedTuple):
    """The items of a language in a split of a source; of no split: to be cut."""

    language: str
    source: str
    split: str
    items: list[Item]


@dataclass(frozen=True)
class Probing:
    """A task to probe: labelled texts, words of labelled sentences, or labels made of parallel text.

    Where several tasks have a language, its train and dev are the first one's, its test the last one's.
    """

    name: str
    title: str
    tasks: tuple[str, ...] = ()  # of `data.tasks`
    split: str = ""  # the only one that is taken
    label: Callable[[str, Sequence[str]], list[str]] | None = None  # language, texts -> labels
    words: Callable[[Tagged, Sequence[str]], list[str]] | None = None  # labels; "": left out
    joint: bool = False  # a language alone has one class: trained on all of them
    trees: bool = False  # what is read are edges between words, not classes


def _language(language: str, texts: Sequence[str]) -> list[str]:
    return [language] * len(texts)


def _length(language: str, texts: Sequence[str]) -> list[str]:
    """The quarter of a text by its number of characters among those of its language."""
    sizes = np.array(list(map(len, texts)))
    edges = np.quantile(sizes, np.arange(1, BINS) / BINS)
    return [str(number) for number in np.searchsorted(edges, sizes, side="left")]


def _tag(sentence: Tagged, labels: Sequence[str]) -> list[str]:
    return [labels[tag] for tag in sentence.tags]


def _feature(name: str, sentence: Tagged, labels: Sequence[str]) -> list[str]:
    """The value of a morphological feature; words without it are left out."""
    values = (
        dict(one.split("=", 1) for one in feats.split("|") if "=" in one) for feats in sentence.feats
    )
    return [value.get(name, "") for value in values]


def _arc(sentence: Tagged, labels: Sequence[str]) -> list[str]:
    """A word's head and its part of speech: "3 NOUN"."""
    if not sentence.heads:
        raise ValueError(f"{sentence.id}: the treebank has no heads")
    return [f"{head} {labels[tag]}" for head, tag in zip(sentence.heads, sentence.tags, strict=True)]


_TREES = "ewt", "pud"


def _morphology(name: str) -> Probing:
    title = f"UD's {name}, of the words that have it: EWT, PUD"
    return Probing(name.lower(), title, _TREES, words=partial(_feature, name))


PROBES: Mapping[str, Probing] = {
    probing.name: probing
    for probing in (
        Probing("topic", "SIB-200: the topic of a FLORES sentence, of seven", ("sib200",)),
        Probing("nli", "XNLI: whether a premise entails; dev, cut by premise", ("xnli",), "dev"),
        Probing("paraphrase", "PAWS-X: dev, cut by row", ("pawsx",), "dev"),
        Probing(
            "language", "the language a parallel sentence is in", label=_language, joint=True
        ),
        Probing("length", "the quarter of a sentence's length within its language", label=_length),
        Probing(
            "pos", "parts of speech: EWT, PUD; MasakhaPOS, whose use of tags is its own",
            (*_TREES, "masakhapos"), words=_tag,
        ),
        Probing("ner", "WikiANN: a word's tag of seven (IOB2)", ("wikiann",), words=_tag),
        Probing(
            "trees", "dependency trees by the structural probe: EWT, PUD", _TREES, words=_arc, trees=True
        ),
        *map(_morphology, ("Number", "Tense", "Person", "Case", "Gender")),
    )
}  # fmt: skip


def of_tasks(probing: Probing, languages: str, data_dir: str | Path | None) -> Iterator[TaskSplit]:
    """Yield the examples of labelled tasks, split by split.

    Raises:
        ValueError: a language that none of them has; what `load_task` refuses.
        OSError: none of them is there.
    """
    known = {task: languages_of(task, data_dir) for task in probing.tasks}
    every = {tag for splits in known.values() for tags in splits.values() for tag in tags}
    asked = None if languages == "all" else {standard_tag(one) for one in languages.split(",")}
    if asked and every and not asked <= every:
        raise ValueError(
            f"{probing.name} has no examples in {', '.join(sorted(asked - every))}: "
            f"{', '.join(sorted(every))}"
        )
    for task, splits in known.items():
        for split, tags in splits.items():
            if probing.split not in ("", split):
                continue
            some = ",".join(tag for tag in tags if asked is None or tag in asked)
            if some or not tags:
                for data in load_task(task, split, languages=some or languages, data_dir=data_dir):
                    yield TaskSplit(data.language, task, split, list(_items(probing, data)))
    if not any(known.values()):
        load_task(probing.tasks[0], "train", data_dir=data_dir)  # says where it was looked for


def _items(probing: Probing, data: TaskData) -> Iterator[Item]:
    left_out = 0
    for example in data.examples:
        if isinstance(example, Pair):
            texts = (example.first, example.second) if example.second else (example.first,)
            sides = tuple(Sentence(example.id, text) for text in texts)
            yield Item(example.group, [(sides, data.labels[example.label])])
        elif isinstance(example, Tagged) and probing.words:
            if probing.trees and not all(map(_is_seen, example.words)):
                left_out += 1  # without the word its heads are another tree's
                continue
            text = example.text or " ".join(example.words)
            spans = example.spans or word_spans(text, example.words)
            yield Item(example.group, [
                ((Sentence(f"{example.id}:{i}", word, None, Context(text, *span)),), label)
                for i, (word, span, label) in enumerate(
                    zip(example.words, spans, probing.words(example, data.labels), strict=True), start=1
                )
                if label and _is_seen(word)
            ])  # fmt: skip
    if left_out:
        logger.warning(
            "%s (%s): %d sentences with words that nobody sees are left out",
            *(probing.name, data.language, left_out),
        )


def _is_seen(word: str) -> bool:
    """Whether a word has a character that is not blank or a mark of format: a tokenizer drops others."""
    return any(unicodedata.category(letter) not in ("Cf", "Cc", "Zs") for letter in word)


def of_corpus(
    probing: Probing, corpus: str, languages: str, data_dir: str | Path | None
) -> Iterator[TaskSplit]:
    """Yield the sentences of a parallel corpus, with labels that are made of them."""
    assert probing.label is not None
    bitexts = load(corpus, data_dir=data_dir, languages=languages)
    if not all(isinstance(bitext, Bitext) for bitext in bitexts):
        raise ValueError(f"{corpus} has no parallel sentences; take flores, ntrex, pud or pocket")
    sides = {side.language: side for b in bitexts for side in (b.target, b.source)}
    for language, side in sides.items():
        labels = probing.label(language, side.texts)
        items = [
            Item(f"{corpus}/{one.group or one.id}", [((Sentence(one.id, one.text),), label)])
            for one, label in zip(side.sentences, labels, strict=True)
        ]
        yield TaskSplit(language, corpus, "", items)


def of_table(path: Path) -> Iterator[TaskSplit]:
    """Yield the examples of a user's table, language by language.

    Raises:
        ValueError: a missing column, too few or too many cells, one without text: with file and line.
    """
    found: dict[str, list[Item]] = {}
    for number, row in read_rows(path):
        where = f"{path}:{number}"
        language, group, label = (
            text_of(where, row, name, number=name != "language")
            for name in ("language", "group", "label")
        )
        texts = [
            text_of(where, row, name) for name in ("text", "text2") if name in row or name == "text"
        ]
        sides = tuple(Sentence(str(number), text) for text in texts)
        found.setdefault(language, []).append(Item(group, [(sides, label)]))
    for language, items in found.items():
        yield TaskSplit(language, str(path), "", items)
