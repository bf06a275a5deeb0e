"""What a folder that `train` made says of itself, and whether its files are those that were written."""

import json
from pathlib import Path

from ...data.rows import Columns, Row
from ..runs.files import SUM, Damaged, file_checksum, read_json, seal, write_json
from .errors import refusing
from .options import STAGES

ABOUT = "crosslingual.json"
TRAINED_ON = "trained-on.txt.gz"  # next to it in every folder of `train`
_BY_HAND = {"stage": str, "family": str, "recipe": str, "seed": int, "zero_shot": list}


def read_about(folder: Path) -> Columns:
    """Return what a folder says of itself in crosslingual.json; nothing if it says nothing.

    A user may write the file by hand, with a stage, a family and so on: it has no checksums then.

    Raises:
        Damaged: the file is not as `train` wrote it.
        ValueError: written by hand, and not what is expected.
    """
    path = folder / ABOUT
    if not path.is_file():
        if (folder / TRAINED_ON).is_file():
            raise Damaged(f"{path} is missing; remove the folder and train it once more")
        return {}
    try:
        return read_json(path)
    except Damaged:
        if (folder / TRAINED_ON).is_file():
            raise
        with refusing(path, "no JSON object"):
            plain = json.loads(path.read_text("utf-8"))
        if not isinstance(plain, dict) or {SUM, "files", "key"} & set(plain):
            raise
        for name, kind in _BY_HAND.items():
            if name in plain and (not isinstance(plain[name], kind) or isinstance(plain[name], bool)):
                raise ValueError(
                    f"{path}: {name} must be {kind.__name__}, got {plain[name]!r}"
                ) from None
        if plain.get("stage") not in (None, *STAGES):
            raise ValueError(f"{path}: stage must be one of {', '.join(STAGES)}") from None
        return plain


def write_about(folder: Path, about: Row) -> None:
    """Write crosslingual.json, with the checksums of all other files of the folder."""
    files = {
        path.name: file_checksum(path)
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name != ABOUT
    }
    apart = {"cost": seal(about["cost"])} if "cost" in about else {}
    write_json(folder / ABOUT, {**about, **apart, "files": files})


def verify_files(folder: Path, about: Row) -> None:
    """Raise unless the files of a folder are those that `write_about` has seen.

    Raises:
        Damaged: one is missing or another.
    """
    for name, expected in about.get("files", {}).items():
        path = folder / name
        if not path.is_file():
            raise Damaged(f"{path} is missing; remove the folder and train it once more")
        if file_checksum(path) != expected:
            raise Damaged(
                f"{path} is damaged (it does not match its checksum); remove the folder and train it "
                "once more"
            )
