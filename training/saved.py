"""What a phase leaves: a plain encoder folder that says what it is, and its heads with it."""

import gzip
import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..alignment.checkpoints.about import ABOUT, TRAINED_ON, write_about
from ..alignment.checkpoints.checkpoint import Checkpoint
from ..alignment.runs.files import MARK, own_folder, remove_folder
from ..data.rows import Row
from .lines import gain_line, score_line
from .tasks.heads import HeadSpec, MultiHead

HEADS = "heads.safetensors"


def save_encoder(
    folder: Path,
    encoder: Any,
    base: Checkpoint,
    about: Row,
    groups: Iterable[str],
    more: Callable[[Path], None] | None = None,
) -> None:
    """Save an encoder as a plain `from_pretrained` folder, all or nothing.

    Args:
        folder: replaced if it is there and was made here.
        encoder: in the dtype to be kept.
        base: whose tokenizer and input length are kept.
        about: the content of crosslingual.json.
        groups: everything trained on, for leak checks.
        more: writes what else belongs into the folder.

    Raises:
        OSError: it cannot be written, or something else is there; what was there stays whole.
    """
    if folder.exists() and not (folder / ABOUT).is_file():
        raise OSError(f"{folder}: something that was not made here; move it, or name another folder")
    unfinished = folder.with_name(f".unfinished-{folder.name}")
    own_folder(unfinished)
    try:
        encoder.save_pretrained(unfinished)
        base.tokenizer.save_pretrained(unfinished)
        for path in base.parts.first.glob("sentence_*_config.json"):  # how long inputs are
            shutil.copyfile(path, unfinished / path.name)
        if more is not None:
            more(unfinished)
        lines = "".join(group + "\n" for group in sorted(set(groups)))
        (unfinished / TRAINED_ON).write_bytes(gzip.compress(lines.encode(), mtime=0))
        (unfinished / "README.md").write_text(_card(about), "utf-8")
        (unfinished / MARK).unlink()
        write_about(unfinished, about)
        remove_folder(folder, ABOUT)
        unfinished.rename(folder)
    except Exception as error:  # safetensors has its own kind for a full disk
        remove_folder(unfinished, ABOUT)
        reason = " ".join(str(error).split())
        raise OSError(f"{folder} cannot be written ({reason}); make room and run again") from error


def trained_on(folder: Path) -> set[str]:
    """Return the groups that a checkpoint was trained on, as far as it says."""
    path = folder / TRAINED_ON
    if not path.is_file():
        return set()
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        return {line.rstrip("\n") for line in stream}


def load_heads(folder: Path, encoder: Any) -> MultiHead:
    """Return the encoder with the heads that were saved with it.

    Raises:
        ValueError: no heads were saved there.
    """
    from safetensors.torch import load_file

    if not (folder / HEADS).is_file():
        raise ValueError(f"{folder}: no heads there; `crosslingual train` saves them with the encoder")
    specs = json.loads((folder / "heads.json").read_text("utf-8"))
    model = MultiHead(encoder, {name: HeadSpec(**spec) for name, spec in specs.items()}, seed=0)
    model.heads.load_state_dict(load_file(folder / HEADS))
    return model


def save_heads(folder: Path, model: MultiHead) -> None:
    """Write the heads of a model, and what they are."""
    from safetensors.torch import save_file

    state = {
        name: tensor.detach().cpu().contiguous() for name, tensor in model.heads.state_dict().items()
    }
    save_file(state, folder / HEADS)
    specs = {name: asdict(spec) for name, spec in model.specs.items()}
    (folder / "heads.json").write_text(json.dumps(specs, indent=1) + "\n", "utf-8")


def _card(about: Row) -> str:
    tasks = ", ".join(about.get("tasks", ())) or ("word pairs" if "words" in about else "nothing")
    licences = "".join(f"- {name}: {licence}\n" for name, licence in about.get("licences", {}).items())
    scores = "".join(f"- {score_line(one)}\n" for one in about.get("scores", ()))
    scores += "".join(f"- {gain_line(one)}\n" for one in about.get("words", ()))
    return (
        f"---\nbase_model: {about['base']}\nlibrary_name: transformers\n---\n\n"
        f"# {about['recipe']}\n\nThe encoder of {about['base']} after the phase "
        f"“{about['phase']}” (control: {about['control']}), trained on {tasks} with seed "
        f"{about['seed']}. Everything is in `{ABOUT}`; load it with `AutoModel.from_pretrained`.\n\n"
        f"## English dev, or words\n\n{scores or 'None.'}\n\n"
        f"## Licences of the data\n\n{licences or 'None.'}\n"
    )
