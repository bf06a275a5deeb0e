"""Flags out of options classes: a command names the class, its flags are those of its fields.

Typer reads a function's signature, so a command is given the signature that its options come to.
(Typer with generated signatures, rather than cyclopts, which flattens dataclasses by itself: it starts
in a third of the time, and its exit codes and one-line errors are those that the commands have.)
"""

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from ..alignment.options import Option, options_of

Command = TypeVar("Command", bound=Callable[..., None])
FLAGS: dict[str, str] = {}  # setting -> its flag, for messages


def command(function: Command) -> Command:
    """Give a command a flag for every field of the options classes that its parameters are of."""
    signature = inspect.signature(function)
    parameters: list[inspect.Parameter] = []
    made: dict[str, type] = {}
    taken = {name for name, one in signature.parameters.items() if not _is_options(one.annotation)}
    for parameter in signature.parameters.values():
        if _is_options(parameter.annotation):
            made[parameter.name] = parameter.annotation
            for field, known in options_of(parameter.annotation):
                if known.cli and field.name not in taken:
                    taken.add(field.name)
                    parameters += _parameters(field.name, field.type, field.default, known)
        else:
            parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))

    @wraps(function)
    def run(**given: Any) -> None:
        chosen = {}
        for name, cls in made.items():
            values = {}
            for field, known in options_of(cls):
                if field.name in given and field.name not in signature.parameters:
                    values[field.name] = given[field.name]
                if known.off and given.get(_off(known)):
                    values[field.name] = False
            chosen[name] = cls(**values)
        rest = {name: given[name] for name in signature.parameters if name not in made}
        function(**rest, **chosen)

    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    return run  # type: ignore[return-value]


def _is_options(annotation: object) -> bool:
    return isinstance(annotation, type) and hasattr(annotation, "__dataclass_fields__")


def _off(known: Option) -> str:
    return known.off.lstrip("-").replace("-", "_")


def _parameters(name: str, kind: Any, default: Any, known: Option) -> list[inspect.Parameter]:
    """Return the parameter of a setting, and that of the flag which turns it off."""
    text = known.help if not known.choices else f"{known.help} ({', '.join(known.choices)})"
    # Typer shows a lower bound in its help; a range is checked where the options are made
    limits = {"min": known.least if known.most is None else None}
    limits = {name: limit for name, limit in limits.items() if limit is not None}
    flag = f"--{name.replace('_', '-')}"
    FLAGS[name] = (known.flags or (flag,))[0]
    made: list[tuple[str, Any, Any]] = []
    if known.argument:
        made.append((name, Annotated[Path | None, typer.Argument(help=text)], default))
    else:
        option = typer.Option(*(known.flags or (flag,)), help=text, **limits)  # type: ignore[arg-type]
        made.append((name, Annotated[_type(kind), option], default))
    if known.off:
        turned = Annotated[bool, typer.Option(known.off, help=f"Without {flag}.")]
        made.append((_off(known), turned, False))
    return [
        inspect.Parameter(one, inspect.Parameter.KEYWORD_ONLY, default=value, annotation=annotation)
        for one, annotation, value in made
    ]


def _type(kind: Any) -> Any:
    """Return the type that Typer reads a setting as."""
    if isinstance(kind, str):
        return str
    arguments = getattr(kind, "__args__", (kind,))
    # a path, or a name, may be given in other ways in Python
    read: Any = next(one for one in (Path, str, float, int, bool) if one in arguments)
    return read | None if type(None) in arguments else read
