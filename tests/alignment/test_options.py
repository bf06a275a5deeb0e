"""Settings are written once: signatures, help, flags and checks are those of the options classes."""

import dataclasses
import inspect
from pathlib import Path

import pytest
from typer.testing import CliRunner

import crosslingual
from crosslingual.alignment.checkpoints.options import LoadOptions
from crosslingual.alignment.options import Names, option, options_class, options_of, takes
from crosslingual.cli import app

VERBS = ("score", "compare", "mine", "probe", "erase", "train", "retention", "heatmap")
COMMANDS = {name: (name,) for name in VERBS} | {
    "build": ("index", "build"),
    "search": ("index", "search"),
}


@options_class
class Tea:
    kind: str = option("Which.", default="green", choices=("green", "black"))
    minutes: int = option("How long.", default=3, least=1)
    degrees: float | None = option("How hot.", default=None, least=0)
    places: Names = option("Where from.", default="all")
    pot: Path | None = option("The pot.", default=None)
    milk: bool = option("With milk.", default=False)

    def check(self) -> None:
        if self.milk and self.kind == "green":
            raise ValueError("`milk` does not go with green")


@takes(Tea)
def brew(who: str, chosen: Tea) -> Tea:
    """Brew."""
    return chosen


def test_values_are_brought_into_their_form():
    made = brew("Ada", places=["a", "b"], pot="kettle", degrees=80)
    assert (made.places, made.pot, made.degrees) == ("a,b", Path("kettle"), 80.0)
    assert isinstance(made.degrees, float)
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.kind = "black"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"kind": "red"}, "unknown `kind` 'red': one of green, black"),
        ({"minutes": 0}, "`minutes` must be at least 1, got 0"),
        ({"minutes": "3"}, "`minutes` must be int, got '3'"),
        ({"minutes": True}, "`minutes` must be int, got True"),
        ({"milk": 1}, "`milk` must be bool, got 1"),
        ({"degrees": -1.5}, "`degrees` must be at least 0, got -1.5"),
        ({"milk": True}, "`milk` does not go with green"),
    ],
)
def test_what_is_refused(wrong, message):
    with pytest.raises(ValueError) as error:
        brew("Ada", **wrong)
    assert str(error.value) == message


@pytest.mark.parametrize("verb", VERBS)
def test_a_wrong_keyword_names_the_nearest(verb):
    function = getattr(crosslingual, verb)
    name = next(iter(options_of(function.options)))[0].name
    wrong = name[:-1] + "_"
    with pytest.raises(TypeError, match=rf"{verb} has no option '{wrong}'.*{name}"):
        function("./nowhere", **{wrong: 1})


def test_options_are_named():
    with pytest.raises(TypeError, match="score: after corpus, options are named"):
        crosslingual.score("./nowhere", "pocket", "de")


@pytest.mark.parametrize("verb", VERBS)
def test_help_lists_every_option(verb):
    """Signature and docstring have each, with its default and its meaning."""
    function = getattr(crosslingual, verb)
    signature = inspect.signature(function)
    for field, known in options_of(function.options):
        assert signature.parameters[field.name].default == field.default
        assert f"{field.name}: {known.help}" in function.__doc__
        assert known.help.endswith(".") and len(known.help) < 120
    assert len(signature.parameters) == len(list(options_of(function.options))) + 1


@pytest.mark.parametrize("verb", VERBS)
def test_the_command_has_the_same_options(verb):
    """A flag for every setting, with the same default, and no setting that Python has not."""
    command = app_command(verb)
    flags = {parameter.name: parameter for parameter in command.params}
    for field, known in options_of(getattr(crosslingual, verb).options):
        if known.cli:
            flag = flags[field.name]
            if field.default is not None and flag.default is not None:
                assert flag.default == field.default
            if (verb, field.name) != ("mine", "out"):  # there it is the file of the pairs
                assert known.help in (getattr(flag, "help", None) or "")
    python = {field.name for field, _ in options_of(getattr(crosslingual, verb).options)}
    assert set(flags) - python <= OWN, "what decides numbers can be set in Python, too"


# arguments, where things are written, what turns a setting off
OWN = {"help", "checkpoint", "run", "runs", "recipe", "scores", "source", "target", "gold", "corpus"}
OWN |= {
    "out",
    "languages",
    "measure",
    "direction",
    "base",
    "figure",
    "errors",
    "as_json",
    "no_store",
    "no_title",
}


def app_command(*names: str):
    import typer

    command = typer.main.get_command(app)
    for name in names:
        command = command.commands[name]
    return command


def test_opening_a_checkpoint_is_one_class():
    """Every verb that opens one takes all of its settings: probe and erase a revision, too."""
    names = {field.name for field in dataclasses.fields(LoadOptions)}
    assert {"revision", "dtype", "prefix", "max_length", "device_map", "batch_tokens"} <= names
    for verb in ("score", "compare", "mine", "probe", "erase"):
        assert issubclass(getattr(crosslingual, verb).options, LoadOptions), verb
    assert set(inspect.signature(crosslingual.open_checkpoint).parameters) >= names - {"batch_tokens"}


def test_messages_name_the_flag_on_the_command_line(tmp_path):
    done = CliRunner().invoke(app, ["score", str(tmp_path), "--limit", "0"])
    assert done.exit_code == 2 and "--limit" in done.output
    from crosslingual.cli.messages import with_flags

    assert with_flags("`map_fit` names a bitext") == "--map-fit names a bitext"
    assert with_flags("unknown `nothing`") == "unknown nothing"


def verbs():
    """Yield every options class that a command is made of."""
    import importlib
    import pkgutil

    import crosslingual

    for module in pkgutil.walk_packages(crosslingual.__path__, "crosslingual."):
        if module.name.endswith(".options") and ".tests" not in module.name:
            for one in vars(importlib.import_module(module.name)).values():
                if (
                    isinstance(one, type)
                    and dataclasses.is_dataclass(one)
                    and one.__module__ == module.name
                ):
                    yield one


def numbers():
    for verb in verbs():
        for field, known in options_of(verb):
            arguments = getattr(field.type, "__args__", (field.type,))
            if (int in arguments or float in arguments) and str not in arguments:
                yield pytest.param(verb, field, known, id=f"{verb.__name__}.{field.name}")


@pytest.mark.parametrize(("verb", "field", "known"), list(numbers()))
def test_every_number_has_a_range(verb, field, known):
    unbounded = field.name == "threshold"  # a score of any size
    assert unbounded or known.least is not None
    real = float in getattr(field.type, "__args__", (field.type,))
    bad = [float("nan"), float("inf")] if real else [10**40, -(10**40)]
    bad += [] if unbounded else [known.least - 1]
    bad += [] if known.most is None else [known.most + 1]
    for value in bad:
        with pytest.raises(ValueError, match=f"`{field.name}` must be"):
            verb(**{field.name: value})


def test_every_list_of_names_refuses_none():
    for verb in verbs():
        for field, _ in options_of(verb):
            if isinstance(field.default, str) and field.default:
                path = Path in getattr(field.type, "__args__", ())
                for value in ("",) if path else ("", " ", ","):
                    with pytest.raises(ValueError, match=f"`{field.name}`"):
                        verb(**{field.name: value})


@pytest.mark.parametrize(
    ("given", "gigabytes"),
    [
        (8.0, 8.0),
        (0.5, 0.5),
        ("8", 8.0),
        ("8GB", 8.0),
        (" 500 mb", 0.5),
        ("2T", 2000.0),
        ("1e-3gb", 1e-3),
    ],
)
def test_sizes_of_memory(given, gigabytes):
    assert LoadOptions(memory=given).memory == pytest.approx(gigabytes)
    assert LoadOptions(memory=given).memory_bytes == pytest.approx(gigabytes * 1e9)


@pytest.mark.parametrize(
    "given", ["8GBB", "", "GB", "1.2.3", "-1", "nan", "inf", "0", -1.0, float("nan")]
)
def test_what_is_no_size_of_memory(given):
    with pytest.raises(ValueError, match="`memory`"):
        LoadOptions(memory=given)
