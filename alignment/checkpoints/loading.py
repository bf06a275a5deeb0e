"""Loading weights: explicit where transformers guesses, refusing what would silently be wrong.

The dtype is named, pickles are refused, code of the checkpoint is not run, a missing encoder weight is
an error, and no pooler is made (a checkpoint without one would get a random one).
"""

import inspect
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...data.rows import Columns


def find_base(folder: Path) -> tuple[Path | str, Path | None]:
    """Return the folder (or hub id) of the base model, and the adapter's folder if there is one."""
    adapter = folder / "adapter_config.json"
    if not adapter.is_file():
        return folder, None
    base = json.loads(adapter.read_text("utf-8")).get("base_model_name_or_path")
    if not base:
        raise ValueError(f"{adapter}: no base_model_name_or_path; the adapter's base is not known")
    relative = folder / base
    return (relative if relative.is_dir() else base), folder


def check_weights(base: Path | str, *, allow_pickle: bool) -> None:
    """Raise a ValueError unless a local folder has safetensors, or pickles that are allowed."""
    if allow_pickle or not isinstance(base, Path) or any(base.glob("*.safetensors")):
        return
    pickles = sorted(path.name for path in base.glob("*.bin"))
    if pickles:
        raise ValueError(
            f"{base}: only a pickle ({pickles[0]}), which can run code when it is opened; convert it "
            "to safetensors or pass `allow_pickle`"
        )
    raise ValueError(f"{base}: no weights there (no *.safetensors)")


def load_encoder(
    base: Path | str, config: Any, dtype: Any, device_map: str | None, allow_pickle: bool
) -> Any:
    """Load the encoder, and refuse one that has missing weights."""
    factory, whole, options = _factory(base, config)
    options |= {"dtype": dtype}
    if device_map is not None:
        options["device_map"] = device_map
    options["use_safetensors"] = not allow_pickle or None  # None: whichever is there
    if allow_pickle:
        options["weights_only"] = True
    try:
        with _quiet():
            model, info = factory.from_pretrained(base, output_loading_info=True, **options)
    except (OSError, ValueError, RuntimeError) as error:
        raise ValueError(f"{base}: cannot be loaded ({first_line(error)})") from error
    missing = sorted(
        key
        for key in info["missing_keys"]
        if "pooler" not in key.split(".") and (not whole or key.startswith(("encoder.", "shared.")))
    )
    mismatched = sorted(str(key[0]) for key in info.get("mismatched_keys", ()))
    for problem, keys in (("has no values for", missing), ("has the wrong shape for", mismatched)):
        if keys:
            raise ValueError(
                f"{base}: the checkpoint {problem} {len(keys)} encoder weights, first {keys[0]}; "
                "they would be random"
            )
    return model.get_encoder() if whole else model


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers' bar and report of weights off the screen: what they say is checked here."""
    from transformers.utils import logging as theirs

    level, bars = theirs.get_verbosity(), theirs.is_progress_bar_enabled()
    theirs.set_verbosity_error()
    theirs.disable_progress_bar()
    try:
        yield
    finally:
        theirs.set_verbosity(level)
        if bars:
            theirs.enable_progress_bar()


def random_encoder(base: Path | str, config: Any, dtype: Any, seed: int) -> Any:
    """Return the encoder with the weights that its training would begin with."""
    import torch

    factory, whole, options = _factory(base, config)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = factory.from_config(config, dtype=dtype, **options)
    return model.get_encoder() if whole else model


def _factory(base: Path | str, config: Any) -> tuple[Any, bool, Columns]:
    """Return what makes a model, whether it makes a decoder besides, and how to ask for no pooler."""
    from transformers import AutoModel, AutoModelForTextEncoding

    encoder_only = config.is_encoder_decoder and type(config) in AutoModelForTextEncoding._model_mapping
    factory: Any = AutoModelForTextEncoding if encoder_only else AutoModel
    if type(config) not in factory._model_mapping:
        raise ValueError(f"{base}: transformers has no encoder for model type {config.model_type!r}")
    kind = factory._model_mapping[type(config)]
    kind = kind[0] if isinstance(kind, tuple | list) else kind
    options: Columns = {"trust_remote_code": False}
    if "add_pooling_layer" in inspect.signature(kind.__init__).parameters:
        options["add_pooling_layer"] = False
    return factory, config.is_encoder_decoder and not encoder_only, options


def merge_adapter(model: Any, adapter: Path) -> Any:
    """Return the model with a PEFT adapter's weights added to its own."""
    try:
        from peft import PeftModel
    except ImportError:
        raise ValueError(
            f"{adapter}: an adapter needs peft; pip install 'crosslingual[train]'"
        ) from None
    return PeftModel.from_pretrained(model, adapter).merge_and_unload()


def first_line(error: Exception) -> str:
    """Return what a library's error says, in one line."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
