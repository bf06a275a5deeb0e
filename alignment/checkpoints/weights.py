"""Files of weights: which are read, pickles only by leave, and what their headers say."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import refusing
from .folders import read_settings

if TYPE_CHECKING:
    from torch import Tensor

WRAPPERS = ("module.", "_orig_mod.")  # of data-parallel and of compiled models


def check_weights(folder: Path, *, allow_pickle: bool) -> None:
    """Raise a ValueError unless what transformers would load from a folder are safetensors."""
    if not allow_pickle:
        for path in weight_files(folder):
            _refuse_integers(path)


def weight_files(folder: Path) -> list[Path]:
    """Return the safetensors that transformers would load from a folder.

    That is model.safetensors, else what model.safetensors.index.json names, which may be others.

    Raises:
        ValueError: there are none, or pickles among them.
    """
    if (folder / "model.safetensors").is_file():
        return [folder / "model.safetensors"]
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        with refusing(index, "no index of weights"):
            files = sorted(set(map(str, read_settings(index)["weight_map"].values())))
        for name in files:
            if not name.endswith(".safetensors"):
                raise ValueError(
                    f"{index}: it names {name}, a pickle, which can run code when it is opened; convert "
                    "it to safetensors or pass `allow_pickle`"
                )
            if Path(name).is_absolute() or ".." in Path(name).parts:
                raise ValueError(f"{index}: {name} lies outside the folder")
            if not (folder / name).is_file():
                raise ValueError(f"{folder / name}: no such file, though {index.name} names it")
        return [folder / name for name in files]
    pickles = sorted(path.name for path in folder.glob("*.bin"))
    if pickles:
        raise ValueError(
            f"{folder}: only a pickle ({pickles[0]}), which can run code when it is opened; convert it "
            "to safetensors or pass `allow_pickle`"
        )
    raise ValueError(f"{folder}: no weights there (no model.safetensors)")


def has_safetensors(folder: Path) -> bool:
    """Return whether there are safetensors, or their index, to load a model from."""
    return any(folder.glob("model.safetensors*"))


def wrapped(folder: Path) -> bool:
    """Return whether weights have the prefix of a wrapper; pickles may."""
    if not has_safetensors(folder):
        return True
    return any(name.startswith(WRAPPERS) for name in stored_names(folder))


def stored_names(folder: Path) -> list[str]:
    """Return the names of all tensors in the files."""
    return [name for path in weight_files(folder) for name in _kinds(path)]


def stored_tensors(folder: Path) -> Iterator[tuple[str, "Tensor"]]:
    """Yield names and values of all tensors as they are in the files, sorted by name."""
    from safetensors import safe_open

    places: dict[str, tuple[Path, Any]] = {}
    with ExitStack() as stack:
        for path in weight_files(folder):
            with refusing(path, "cannot be read"):
                tensors = stack.enter_context(safe_open(path, framework="pt"))
                places |= dict.fromkeys(list(tensors.keys()), (path, tensors))
        for name, (path, tensors) in sorted(places.items()):
            with refusing(path, "cannot be read"):
                tensor = tensors.get_tensor(name)
            yield name, tensor


def _refuse_integers(path: Path) -> None:
    """Raise a ValueError where weights are integers, unless the configuration says how to read them."""
    kinds = {name: kind for name, kind in _kinds(path).items() if name.endswith(".weight")}
    integers = sorted(name for name, kind in kinds.items() if kind[0] in "IU" or kind == "BOOL")
    if integers and "quantization_config" not in read_settings(path.parent / "config.json"):
        raise ValueError(
            f"{path}: {len(integers)} weights are integers, first {integers[0]}; config.json does not "
            "say how they are quantised"
        )


def _kinds(path: Path) -> dict[str, str]:
    """Return the dtype of each tensor of a file, as its header names it."""
    from safetensors import safe_open

    with refusing(path, "cannot be read"), safe_open(path, framework="pt") as tensors:
        return {name: tensors.get_slice(name).get_dtype() for name in list(tensors.keys())}
