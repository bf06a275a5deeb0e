"""Settings from YAML: pydantic's judgement, with the line, in our words."""

from dataclasses import dataclass, field
from typing import Annotated

import pytest

from crosslingual.data.settings_file import STRICT, OneOf, read_as, schema_of, within


@dataclass(frozen=True)
class Part:
    __pydantic_config__ = STRICT
    name: str
    share: Annotated[float, within(0, 1)] = 0.5
    kind: Annotated[str, OneOf("kind", ("round", "square"))] = "round"


@dataclass(frozen=True)
class Whole:
    __pydantic_config__ = STRICT
    title: str
    parts: dict[str, Part] = field(default_factory=dict)
    more: tuple[Part, ...] = ()
    maybe: Part | None = None

    def __post_init__(self):
        if self.title == "bad":
            raise ValueError("this title is bad")


def read(tmp_path, text):
    (tmp_path / "w.yaml").write_text(text, "utf-8")
    return read_as(Whole, tmp_path / "w.yaml")


def test_what_is_read(tmp_path):
    made = read(
        tmp_path,
        "title: no\nparts:\n  a: {name: on, share: 1}\nmore:\n  - {name: 2020-01-01, share: 1e-5}\nmaybe: ~\n",
    )
    assert made == Whole("no", {"a": Part("on", 1.0)}, (Part("2020-01-01", 1e-5),))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("titles: a\n", r"w.yaml:1: unknown field 'titles': did you mean title\?"),
        (
            "title: a\nparts:\n  x:\n    names: b\n",
            r"w.yaml:4: unknown field 'names': did you mean name\?",
        ),
        (
            "title: a\nmaybe:\n  name: b\n  shar: 1\n",
            r"w.yaml:4: unknown field 'shar': did you mean share",
        ),
        (
            "title: a\nmore: [{name: b, shar: 1}]\n",
            r"w.yaml:2: unknown field 'shar': did you mean share",
        ),
        ("title: a\nmore:\n  - {name: b, share: 2}\n", r"w.yaml:3: share must be at most 1, got 2"),
        ("title: a\nmore:\n  - {name: b, share: .nan}\n", r"w.yaml:3: share must be "),
        (
            "title: a\nmore:\n  - {name: b, kind: rond}\n",
            r"w.yaml:3: unknown kind 'rond': did you mean round",
        ),
        ("title: a\nmore: {name: b}\n", r"w.yaml:2: more must be a list"),
        ("title: a\nmore: [3]\n", r"w.yaml:2: more: expected the fields of a part"),
        ("title: a\nmaybe: [3]\n", r"w.yaml:2: maybe: expected the fields of a part"),
        ("title: a\nparts: 3\n", r"w.yaml:2: parts must be a mapping"),
        ("more: []\n", r"w.yaml:1: no title"),
        ("title: 3\n", r"w.yaml:1: title must be str, got 3"),
        ("title: bad\n", r"w.yaml:1: this title is bad"),
        ("title: a\ntitle: b\n", r"w.yaml:2: title is given twice"),
        ("- title\n", r"w.yaml:1: expected the fields of a whole"),
        ("", "w.yaml: empty"),
    ],
)
def test_what_is_wrong(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, text)


def test_editors_get_a_schema():
    schema = schema_of(Whole)
    part = schema["$defs"]["Part"]
    assert part["properties"]["kind"]["enum"] == ["round", "square"]
    assert part["additionalProperties"] is False and schema["required"] == ["title"]
