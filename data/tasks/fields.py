"""What the columns of each dataset mean: rows as published become the fields of a kind.

Each function takes a row as read, its number in the split (from 0) and the split's name. `group` is the
same in every language that the row was translated into, and names the source the texts were taken from:
XQuAD's articles are SQuAD's.
"""

import hashlib
from collections.abc import Callable, Mapping

from ..rows import Row

_OF_TREEBANKS = ("text", "spans", "feats", "head")

Fields = Callable[[Row, int, str], Row]

# XCOPA asks for a cause or an effect; COPA's usual wording
_QUESTION = {"cause": "What was the cause of this?", "effect": "What happened as a result?"}


def pairs(
    first: str, second: str, label: str, *, source: str, rows: int = 1, by_text: bool = False
) -> Fields:
    """Return the fields of a pair of texts.

    Args:
        first: the column of the first text.
        second: the column of the second.
        label: the column of the label.
        source: namespace of the groups.
        rows: how many successive rows share a group; languages are parallel by row.
        by_text: the group is the first text: rows of one premise stand anywhere.
    """

    def fields(row: Row, number: int, split: str) -> Row:
        group = _digest(row[first]) if by_text else f"{split}/{number // rows}"
        return {
            "id": f"{split}-{number}",
            "group": f"{source}/{group}",
            "first": row[first],
            "second": row[second],
            "label": row[label],
        }

    return fields


def single(text: str, label: str, id_: str, *, source: str) -> Fields:
    """Return the fields of one text; its id is that of its group, the same in every language."""

    def fields(row: Row, number: int, split: str) -> Row:
        name = str(row[id_])
        return {"id": name, "group": f"{source}/{name}", "first": row[text], "label": row[label]}

    return fields


def hellaswag(row: Row, number: int, split: str) -> Row:
    """The context whole; its second part begins every ending."""
    return {
        "id": f"{split}-{number}",
        "group": f"hellaswag/{row.get('source_id') or _digest(row['ctx'])}",
        "prompt": row["ctx"],
        "options": row["endings"],
        "label": row["label"],
    }


def cosmosqa(row: Row, number: int, split: str) -> Row:
    """Context and question are the prompt; several questions share a context."""
    return {
        "id": row["id"],
        "group": f"cosmosqa/{_digest(row['context'])}",
        "prompt": f"{row['context']} {row['question']}",
        "options": [row[f"answer{i}"] for i in range(4)],
        "label": row["label"],
    }


def commonsenseqa(row: Row, number: int, split: str) -> Row:
    """The question is nested in the published files and flat on the hub; labels are letters."""
    if isinstance(row["question"], str):
        stem, choices = row["question"], row["choices"]
        letters, texts = choices["label"], choices["text"]
    else:
        stem = row["question"]["stem"]
        letters, texts = zip(
            *((one["label"], one["text"]) for one in row["question"]["choices"]), strict=True
        )
    key = row.get("answerKey") or ""
    return {
        "id": row["id"],
        "group": f"commonsenseqa/{row['id']}",
        "prompt": stem,
        "options": list(texts),
        "label": list(letters).index(key) if key in letters else key,
    }


def xcopa(row: Row, number: int, split: str) -> Row:
    """Premise and the question in words are the prompt; languages are parallel by idx."""
    asked = row["question"]
    if asked not in _QUESTION:
        raise ValueError(f"question {asked!r} is neither cause nor effect")
    return {
        "id": f"{split}-{row['idx']}",
        "group": f"copa/{split}/{row['idx']}",
        "prompt": f"{row['premise']} {_QUESTION[asked]}",
        "options": [row["choice1"], row["choice2"]],
        "label": row["label"],
    }


def spans(source: str, *, by_text: bool = False) -> Fields:
    """Return the fields of a question; the group is its article, or its context where titles lack.

    Args:
        source: namespace of the groups.
        by_text: articles are not known, or not the same in all languages.
    """

    def fields(row: Row, number: int, split: str) -> Row:
        answers = row["answers"]
        if isinstance(answers, Mapping):  # as the hub has them
            answers = list(zip(answers["text"], answers["answer_start"], strict=True))
        group = _digest(row["context"]) if by_text else row["title"]
        return {
            "id": row["id"],
            "group": f"{source}/{group}",
            "context": row["context"],
            "question": row["question"],
            "answers": [] if row.get("is_impossible") else answers,
        }

    return fields


def tags(words: str, labels: str, *, source: str, parallel: bool = False) -> Fields:
    """Return the fields of tagged words.

    Args:
        words: the column of the words.
        labels: the column of the tags.
        source: namespace of the groups.
        parallel: sentences are parallel over languages by their `sent_id`; else the group is the
            document, and the sentence where no document is known.
    """

    def fields(row: Row, number: int, split: str) -> Row:
        name = row.get("sent_id") or f"{split}-{number}"
        return {
            "id": name,
            "group": f"{source}/{name if parallel else row.get('document') or name}",
            "words": row[words],
            "tags": row[labels],
            **{key: row[key] for key in _OF_TREEBANKS if key in row},
        }

    return fields


def _digest(text: str) -> str:
    return hashlib.sha256(str(text).strip().encode()).hexdigest()[:16]
