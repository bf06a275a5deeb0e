"""Examples: what a labelled task is made of, a class for each kind of task.

`group` names what must not be torn apart: the premise, article, document or row that an example comes
from, the same in every language it was translated into. Splits, leak checks and intervals go by it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..nearest import closest
from ..rows import Row

Labels = Sequence[str]


@dataclass(frozen=True)
class Pair:
    """Two texts, or one (`second` empty), and a class."""

    id: str
    group: str
    first: str
    second: str
    label: int


@dataclass(frozen=True)
class Choice:
    """Options that continue or answer a prompt, one of them right."""

    id: str
    group: str
    prompt: str
    options: tuple[str, ...]
    label: int


@dataclass(frozen=True)
class Span:
    """A question whose answers stand in the context; none where it cannot be answered."""

    id: str
    group: str
    context: str
    question: str
    answers: tuple[tuple[str, int], ...]  # text and where it begins, in characters


@dataclass(frozen=True)
class Tagged:
    """Words with a tag each; of a treebank also the text, and what else it says of the words."""

    id: str
    group: str
    words: tuple[str, ...]
    tags: tuple[int, ...]
    text: str = ""
    spans: tuple[tuple[int, int], ...] = ()  # characters (from, to) of each word in the text
    feats: tuple[str, ...] = ()  # as written: "Case=Nom|Number=Sing"
    heads: tuple[int, ...] = ()  # numbers of words from 1; 0 for the root


Example = Pair | Choice | Span | Tagged


def pair(row: Row, labels: Labels, names: Mapping[str, str]) -> Pair:
    """Return the pair of a row.

    Raises:
        ValueError: an empty text, a label outside the map.
    """
    first, second = str(row["first"]).strip(), str(row.get("second", "")).strip()
    if not first or ("second" in row and not second):
        raise ValueError("an empty text")
    return Pair(row["id"], row["group"], first, second, _label(row["label"], labels, names))


def choice(row: Row, labels: Labels, names: Mapping[str, str]) -> Choice:
    """Return the multiple choice of a row; its label is the place of the right option, from 0.

    Raises:
        ValueError: fewer than two options, an empty one, a label that is none of them.
    """
    options = tuple(str(option).strip() for option in row["options"])
    if len(options) < 2 or not all(options):
        raise ValueError(f"{len(options)} options, {sum(not o for o in options)} of them empty")
    name = names.get(str(row["label"]), str(row["label"]))
    if not name.isdecimal() or int(name) >= len(options):
        raise ValueError(f"label {row['label']!r} is none of its {len(options)} options")
    return Choice(row["id"], row["group"], str(row["prompt"]).strip(), options, int(name))


def span(row: Row, labels: Labels, names: Mapping[str, str]) -> Span:
    """Return the question of a row. An answer without text means that there is none.

    Raises:
        ValueError: an answer that does not stand in the context where it says.
    """
    context, question = str(row["context"]), str(row["question"]).strip()
    answers = tuple((str(text), int(start)) for text, start in row["answers"] if str(text))
    for text, start in answers:
        if context[start : start + len(text)] != text:
            raise ValueError(f"the answer {text[:40]!r} is not in its context at character {start}")
    if not question or not context.strip():
        raise ValueError("an empty question or context")
    return Span(row["id"], row["group"], context, question, answers)


def tagged(row: Row, labels: Labels, names: Mapping[str, str]) -> Tagged:
    """Return the tagged words of a row.

    Raises:
        ValueError: no words, unequal numbers, an empty word, a tag outside the map.
    """
    words, tags = tuple(map(str, row["words"])), row["tags"]
    if not words or len(words) != len(tags):
        raise ValueError(f"{len(words)} words but {len(tags)} tags")
    if not all(word.strip() for word in words):
        raise ValueError("an empty word")
    return Tagged(
        *(row["id"], row["group"], words),
        tuple(_label(tag, labels, names) for tag in tags),
        row.get("text") or "",
        tuple(row.get("spans", ())),
        tuple(row.get("feats", ())),
        _heads(row.get("head", ())),
    )


KINDS: Mapping[str, Callable[[Row, Labels, Mapping[str, str]], Example]] = {
    "pair": pair,  # first, second, label
    "choice": choice,  # prompt, options, label
    "span": span,  # context, question, answers
    "tagging": tagged,  # words, tags
}


def _heads(column: Sequence[str]) -> tuple[int, ...]:
    """Return the heads of a sentence's words; none where a treebank leaves any out."""
    heads = tuple(int(head) for head in column if head.isdecimal())
    if len(heads) < len(column):
        return ()
    if any(head > len(heads) for head in heads):
        raise ValueError(f"a head is word {max(heads)} of {len(heads)}")
    return heads


def _label(raw: object, labels: Labels, names: Mapping[str, str]) -> int:
    name = names.get(str(raw), str(raw))
    if name in labels:
        return labels.index(name)
    raise ValueError(f"label {raw!r} is not in the map: {closest(name, labels)}")
