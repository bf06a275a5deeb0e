"""Read a YAML file of settings: plain values only, of a size and depth that people write.

Scalars are those of YAML 1.2: `no` is Norwegian and not false, 1e-5 a number, 2020-01-01 a text.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from .text import read_text

LARGEST = 1 << 20  # bytes
DEEPEST = 32  # lists and mappings in each other

_OPENING = (
    yaml.BlockMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.FlowSequenceStartToken,
)
_CLOSING = (yaml.BlockEndToken, yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)


class _Loader(yaml.SafeLoader):
    """A loader that takes a plain scalar for what YAML 1.2 takes it for."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - as PyYAML's


for _tag, _pattern, _starts in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
    ("float", r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", list("-+.")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})$"), _starts)


def read_yaml(path: Path) -> yaml.Node | None:
    """Return the document of a YAML file, with the places of its values; None where it is empty.

    Anchors, aliases and tags are refused: settings do not need them, and a few lines of them can stand
    for a file of any size.

    Raises:
        ValueError: not YAML, too large, too deep: with file and line.
        OSError: the file cannot be read.
    """
    text = read_text(path, LARGEST)
    depth = 0
    try:
        for token in yaml.scan(text, Loader=yaml.SafeLoader):
            line = token.start_mark.line + 1
            if isinstance(token, yaml.AnchorToken | yaml.AliasToken | yaml.TagToken):
                raise ValueError(f"{path}:{line}: anchors, aliases and tags are not read; write it out")
            depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
            if depth > DEEPEST:
                raise ValueError(f"{path}:{line}: more than {DEEPEST} lists or mappings in each other")
        return yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: not YAML ({' '.join(str(error).split())})") from None


def construct(node: yaml.Node, path: Path) -> Any:
    """Return the plain values of a document.

    Raises:
        ValueError: a value that is too long for what it is: with file and line.
    """
    try:
        return _Values("").construct_document(node)
    except (yaml.YAMLError, ValueError, TypeError, OverflowError) as error:
        raise ValueError(f"{path}: {' '.join(str(error).split())}") from None


class _Values(yaml.SafeLoader):
    """Builds numbers as YAML 1.2 reads them: 010 is ten."""

    def construct_yaml_int(self, node: Any) -> int:
        return int(node.value)

    def construct_yaml_float(self, node: Any) -> float:
        value = node.value.lower()
        return float(value.replace(".inf", "inf").replace(".nan", "nan"))


_Values.add_constructor("tag:yaml.org,2002:int", _Values.construct_yaml_int)
_Values.add_constructor("tag:yaml.org,2002:float", _Values.construct_yaml_float)
