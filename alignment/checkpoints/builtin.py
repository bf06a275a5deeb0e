"""The models that come with the package, by name: three scales of one family, made by `models/`."""

from pathlib import Path

BUILTIN = ("pocket-xs", "pocket-s", "pocket-m")
_MODELS = Path(__file__).parents[2] / "models"


def builtin_model(name: str = "pocket-s") -> Path:
    """Return the folder of a built-in model.

    Raises:
        ValueError: there is none of that name.
    """
    if name not in BUILTIN:
        raise ValueError(f"no built-in model {name!r}: {', '.join(BUILTIN)}")
    return _MODELS / name
