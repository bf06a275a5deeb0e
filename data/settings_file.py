"""Read a YAML file of settings into a dataclass: every field is checked, what is wrong has its line.

Types and ranges are pydantic's (`Annotated[int, Field(ge=1)]`); what fields need of each other a class
says in its `__post_init__`. The same classes give the JSON schema that editors complete by.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import (
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    TypeAdapter,
    ValidationError,
)
from pydantic_core.core_schema import no_info_after_validator_function

from .nearest import closest
from .rows import Columns
from .yaml_file import construct, read_yaml

Made = TypeVar("Made")
STRICT = ConfigDict(extra="forbid", strict=True)  # the `__pydantic_config__` of a settings class
_KINDS = {"string": "str", "dict": "a mapping", "tuple": "a list"}  # pydantic's word: ours


def within(least: int | float, greatest: int | float) -> Any:
    """Return what restricts a number to a range, ends included; NaN is in none."""
    return Field(ge=least, le=greatest)


@dataclass(frozen=True)
class OneOf:
    """Restricts a text to some values; of another one the nearest is named."""

    name: str
    known: tuple[str, ...]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> Any:
        """Return how pydantic checks a value."""
        return no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> Any:
        """Return what an editor completes by."""
        return handler(schema) | {"enum": list(self.known)}

    def _check(self, value: str) -> str:
        if value not in self.known:
            raise ValueError(f"unknown {self.name} {value!r}: {closest(value, self.known)}")
        return value


def read_as(kind: type[Made], path: Path) -> Made:
    """Read a file of settings.

    Args:
        kind: a dataclass, whose fields may be dataclasses, tuples and mappings of them.
        path: a YAML file.

    Raises:
        ValueError: not YAML, an unknown field, a value of the wrong type or range: with file and line.
        OSError: the file cannot be read.
    """
    node = read_yaml(path)
    if node is None:
        raise ValueError(f"{path}: empty")
    _check_names(node, path)
    plain = construct(node, path)
    try:
        return TypeAdapter(kind).validate_json(json.dumps(plain), strict=True)
    except ValidationError as error:
        raise ValueError(_first(error, node, path, kind)) from None


def as_yaml(made: Any) -> str:
    """Return settings with every field as it was understood; `read_as` reads them as the same."""
    plain = json.loads(json.dumps(asdict(made)))
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)


def schema_of(kind: type) -> Columns:
    """Return the JSON schema of a settings class."""
    return TypeAdapter(kind).json_schema()


def _check_names(node: yaml.Node, path: Path) -> None:
    """Refuse a mapping whose names are no words, or that has one twice."""
    if isinstance(node, yaml.SequenceNode):
        for each in node.value:
            _check_names(each, path)
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            place = f"{path}:{key.start_mark.line + 1}"
            if not isinstance(key, yaml.ScalarNode):
                raise ValueError(f"{place}: the name of a field must be a word")
            if key.value in seen:
                raise ValueError(f"{place}: {key.value} is given twice")
            seen.add(key.value)
            _check_names(value, path)


def _first(error: ValidationError, node: yaml.Node, path: Path, kind: type) -> str:
    """Return what is wrong first: an unknown field before all, for others may be missing by it."""
    found = []
    for each in error.errors():
        line, name, inner = _place(node, each["loc"])
        unknown = each["type"] in ("unexpected_keyword_argument", "extra_forbidden")
        found.append((not unknown, line, _said(each, name, inner, kind)))
    _, line, message = min(found)
    return f"{path}:{line}: {message}"


def _place(node: yaml.Node, loc: Sequence[int | str]) -> tuple[int, str, yaml.Node]:
    """Return the line of an error, the name of its field, and its node."""
    line, name = node.start_mark.line + 1, ""
    for step in loc:
        if isinstance(node, yaml.MappingNode):
            pairs = {key.value: (key, value) for key, value in node.value}
            if str(step) not in pairs:
                return line, str(step), node
            key, node = pairs[str(step)]
            line, name = key.start_mark.line + 1, str(step)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
        if not isinstance(node, yaml.ScalarNode):
            line = node.start_mark.line + 1
    return line, name, node


def _said(each: Any, name: str, node: yaml.Node, kind: type) -> str:
    """Return an error of pydantic's in words."""
    context, value = each.get("ctx", {}), each["input"]
    what: str = each["type"]
    if what in ("unexpected_keyword_argument", "extra_forbidden"):
        return f"unknown field {name!r}: {closest(name, _fields(kind, each['loc'][:-1]))}"
    if what in ("missing", "missing_argument"):
        return f"no {name}"
    if what == "value_error":
        return str(context["error"])
    if "ge" in context:
        return f"{name} must be at least {context['ge']:g}, got {value}"
    if "le" in context:
        return f"{name} must be at most {context['le']:g}, got {value}"
    if what.endswith("_type"):
        wanted = what.removesuffix("_type")
        if wanted == "dataclass":
            expected = f"expected the fields of a {context['class_name'].lower()}"
            return f"{name}: {expected}" if name else expected
        return f"{name} must be {_KINDS.get(wanted, wanted)}, got {_shown(value)}"
    return f"{name}: {each['msg']}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) < 60 else f"{text[:57]}…"


def _fields(kind: type, loc: Sequence[int | str]) -> list[str]:
    """Return the names that the mapping at a place may have."""
    schema = schema_of(kind)
    here: Columns = schema
    for step in loc:
        here = _resolved(here, schema)
        here = here.get("properties", {}).get(step) or here.get("items") or here["additionalProperties"]
    return list(_resolved(here, schema).get("properties", {}))


def _resolved(part: Columns, schema: Columns) -> Columns:
    """Return a part of a schema, with its reference followed, less what says that it may be null."""
    for option in part.get("anyOf", ()):
        if option.get("type") != "null":
            part = option
    reference = part.get("$ref")
    return schema["$defs"][reference.rsplit("/", 1)[-1]] if reference else part
