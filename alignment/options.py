"""Options: every setting of a verb is written once, with its type, default, meaning and check.

A verb's options are a frozen class whose fields are made by `option`. The flags of the command line, the
keywords of the Python function, its help and the keys of a YAML file are derived from that class.

Messages name a setting in backquotes (`map_fit`); the command line shows its flag instead.
"""

import dataclasses
import inspect
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar, dataclass_transform

from ..data.nearest import closest

Names = str | int | Sequence[str] | Sequence[int]  # "a,b", or ["a", "b"]
Folder = str | Path
Gigabytes = float | str | None  # 8, or "8GB" or "500MB"

P = ParamSpec("P")
Subject = TypeVar("Subject")
Chosen = TypeVar("Chosen")
Result = TypeVar("Result")
Value = TypeVar("Value")


def split_names(names: object) -> list[str]:
    """Return the names that are joined by commas, each once.

    >>> split_names("mean, first,mean")
    ['mean', 'first']
    """
    return list(dict.fromkeys(part.strip() for part in str(names).split(",") if part.strip()))


def check_layer(layer: str) -> None:
    """Refuse a layer that is neither a number nor a name of one.

    Raises:
        ValueError: likewise.
    """
    if layer not in ("best", "last") and not layer.isdecimal():
        raise ValueError(f"`layer` must be best, last or a number, got {layer!r}")


class Option(NamedTuple):
    """What is known of a setting besides its name, type and default."""

    help: str
    choices: tuple[str, ...] = ()
    least: int | float | None = None
    most: int | float | None = None
    flags: tuple[str, ...] = ()  # of the command line; by default --the-name
    off: str = ""  # the flag that sets it to False
    argument: bool = False  # on the command line a positional argument
    cli: bool = True  # False: in Python only


def option(
    help: str,
    *,
    default: Value,
    choices: Sequence[str] = (),
    least: int | float | None = None,
    most: int | float | None = None,
    flags: Sequence[str] = (),
    off: str = "",
    argument: bool = False,
    cli: bool = True,
    kw_only: bool = True,
) -> Value:
    """Return a field of an options class.

    Args:
        help: one line, as help shows it.
        default: its value where nothing is said.
        choices: all the values there are.
        least: the smallest number allowed.
        most: the greatest number allowed.
        flags: on the command line, instead of the name with hyphens.
        off: a flag that sets it to False.
        argument: on the command line it is given by position.
        cli: whether the command line has it.
        kw_only: False: may be given by position in Python.
    """
    known = Option(help, tuple(choices), least, most, tuple(flags), off, argument, cli)
    made: Value = dataclasses.field(default=default, kw_only=kw_only, metadata={"option": known})
    return made


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(option,))
def options_class(cls: type[Value]) -> type[Value]:
    """Make an options class: frozen, by keyword, checked as it is made.

    A list of names is joined by commas, a string that should be a path becomes one. A method `check` of
    the class may refuse what does not go together.
    """
    if "__post_init__" not in cls.__dict__:
        cls.__post_init__ = _checked  # type: ignore[attr-defined]
    return dataclasses.dataclass(frozen=True, kw_only=True)(cls)


def options_of(cls: type) -> Iterator[tuple[dataclasses.Field[Any], Option]]:
    """Yield the settings of an options class, its own before those it shares with other verbs."""
    own: list[dict[str, Any]] = [inspect.get_annotations(base) for base in cls.__mro__]
    fields = {field.name: field for field in dataclasses.fields(cls)}
    names = dict.fromkeys(name for each in own for name in each if name in fields)
    for name in names:
        yield fields[name], fields[name].metadata["option"]


def takes(
    make: Callable[P, Chosen],
) -> Callable[[Callable[[Subject, Chosen], Result]], Callable[Concatenate[Subject, P], Result]]:
    """Turn a function of a subject and its options into one that takes the options as keywords.

    >>> @options_class
    ... class Greeting:
    ...     name: str = option("Whom to greet.", default="you")
    >>> @takes(Greeting)
    ... def greet(word: str, chosen: Greeting) -> str:
    ...     \"\"\"Greet.\"\"\"
    ...     return f"{word}, {chosen.name}!"
    >>> greet("Hello", name="Ada")
    'Hello, Ada!'
    >>> greet("Hello", names="Ada")
    Traceback (most recent call last):
    TypeError: greet has no option 'names': did you mean name?
    """

    def decorate(
        function: Callable[[Subject, Chosen], Result],
    ) -> Callable[Concatenate[Subject, P], Result]:
        name = function.__name__

        @wraps(function)
        def verb(subject: Subject, /, *args: P.args, **keywords: P.kwargs) -> Result:
            _refuse_unknown(name, make, len(args), keywords)
            return function(subject, make(*args, **keywords))

        first = next(iter(inspect.signature(function).parameters.values()))
        returns = inspect.signature(function).return_annotation
        settings = [
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY
                if field.kw_only
                else inspect.Parameter.POSITIONAL_OR_KEYWORD,
                default=field.default,
                annotation=field.type,
            )
            for field, _ in options_of(make)  # type: ignore[arg-type]
        ]
        settings.sort(key=lambda parameter: parameter.kind)
        verb.__signature__ = inspect.Signature([first, *settings], return_annotation=returns)  # type: ignore[attr-defined]
        verb.__annotations__ = {one.name: one.annotation for one in (first, *settings)}
        verb.__annotations__["return"] = returns
        verb.__doc__ = f"{inspect.cleandoc(function.__doc__ or '')}\n\n{described(make)}"  # type: ignore[arg-type]
        verb.__dict__["options"] = make
        return verb

    return decorate


def described(cls: type) -> str:
    """Return the settings of an options class as the part of a docstring."""
    lines = ["Options:"]
    for field, known in options_of(cls):
        default = "" if field.default in (None, "") else f" Default: {field.default!r}."
        choices = f" One of {', '.join(known.choices)}." if known.choices else ""
        lines.append(f"    {field.name}: {known.help}{choices}{default}")
    return "\n".join(lines)


def _refuse_unknown(verb: str, cls: Any, count: int, keywords: Mapping[str, object]) -> None:
    fields = dataclasses.fields(cls)
    known = [field.name for field in fields]
    first = [field.name for field in fields if not field.kw_only]
    if count > len(first):
        raise TypeError(
            f"{verb}: after {first[-1] if first else 'its subject'}, options are named, as seed=0"
        )
    for name in keywords:
        if name not in known:
            raise TypeError(f"{verb} has no option {name!r}: {closest(name, known)}")


def _checked(self: Any) -> None:
    """Bring every value into its form, and refuse what is none.

    Raises:
        ValueError: another type, a value outside the choices or the range, no name where one has to be.
    """
    for field, known in options_of(type(self)):
        value = _formed(field.type, getattr(self, field.name))
        object.__setattr__(self, field.name, value)
        if known.choices and value is not None and value not in known.choices:
            raise ValueError(f"unknown `{field.name}` {value!r}: one of {', '.join(known.choices)}")
        kinds = _kinds(field.type)
        if kinds and not (isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))):
            names = " or ".join("nothing" if one is type(None) else one.__name__ for one in kinds)
            if field.type == Gigabytes:
                names = "gigabytes, as 8, 8GB or 500MB"
            raise ValueError(f"`{field.name}` must be {names}, got {value!r}")
        if isinstance(value, int | float) and not isinstance(value, bool):
            _refuse_outside(field.name, value, known)
        if isinstance(value, str) and field.default and not value.strip(", "):
            raise ValueError(f"`{field.name}` is empty: leave it out, or name at least one")
    if hasattr(self, "check"):
        self.check()


def _refuse_outside(name: str, value: int | float, known: Option) -> None:
    if not math.isfinite(value) or abs(value) >= 2**63:  # what tables and generators of numbers take
        raise ValueError(f"`{name}` must be a number that fits into 64 bits, got {value!r}")
    if known.least is not None and value < known.least:
        raise ValueError(f"`{name}` must be at least {known.least:g}, got {value!r}")
    if known.most is not None and value > known.most:
        raise ValueError(f"`{name}` must be at most {known.most:g}, got {value!r}")


def _formed(kind: Any, value: Any) -> Any:
    """Return names joined by commas, a path as one, an integer where a float is meant as a float."""
    arguments = getattr(kind, "__args__", ())
    if kind == Names or (str in arguments and Sequence[str] in arguments):
        if isinstance(value, list | tuple):
            return ",".join(map(str, value))
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if Path in arguments and isinstance(value, str) and value:
        return Path(value)
    if kind == Gigabytes and isinstance(value, str):
        return _gigabytes(value)
    if float in (kind, *arguments) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def _gigabytes(size: str) -> float | str:
    """Return the gigabytes of "8GB", "500 MB" or "8"; anything else as it is."""
    found = re.fullmatch(r"\s*([0-9.]+(?:e[+-]?[0-9]+)?)\s*([kmgt]?b?)\s*", size.lower())
    try:
        number = float(found[1]) if found else math.nan
    except ValueError:
        return size
    return number * {"k": 1e-6, "m": 1e-3, "t": 1e3}.get(found[2][:1], 1.0) if found else size


def _kinds(kind: Any) -> tuple[type, ...]:
    """Return the plain types of an annotation; nothing where it is more than that."""
    if kind == Names:
        return (str,)
    if kind == Gigabytes:
        return (float, type(None))
    if kind in (str, int, float, bool):
        return (kind,)
    arguments = tuple(
        one for one in getattr(kind, "__args__", ()) if one is not str or Path not in kind.__args__
    )
    return arguments if arguments and all(isinstance(one, type) for one in arguments) else ()
