"""Loading weights: explicit where transformers guesses, refusing what would silently be wrong.

The dtype is named, pickles are refused, code of the checkpoint is not run, a missing encoder weight is
an error, and no pooler is made (a checkpoint without one would get a random one).
"""

import inspect
import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext, redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

from ...data.rows import Columns
from .errors import refusing
from .weights import WRAPPERS, wrapped


class Loaded(NamedTuple):
    """A model, and whether it has a decoder besides its encoder."""

    model: Any
    whole: bool

    def encoder(self) -> Any:
        """Return the encoder, or the part for text; a decoder keeps nothing for a next token."""
        for config in (self.model.config, encoder_config(self.model.config)):
            if getattr(config, "use_cache", False):
                config.use_cache = False
        part = _text_part(self.model)
        if part:
            return getattr(self.model, part)
        return self.model.get_encoder() if self.whole else self.model


def _text_part(model: Any) -> str:
    """Return the name of the part for text of a model with others for images or sound."""
    if model.config.is_encoder_decoder or model.config.get_text_config() is model.config:
        return ""
    return next((name for name in ("language_model", "text_model") if hasattr(model, name)), "")


def load_model(
    folder: Path, config: Any, dtype: Any, spread: Columns, *, gguf: str = "", allow_pickle: bool = False
) -> Loaded:
    """Load a model, and refuse one whose encoder has missing weights.

    Args:
        folder: of the transformer.
        config: its configuration.
        dtype: of torch, or "auto": that of the file.
        spread: `device_map` and what belongs to it, for a model that is not in one place.
        gguf: the GGUF file in the folder that has the weights, if one has.
        allow_pickle: read pickles where there are no safetensors.
    """
    from accelerate.hooks import remove_hook_from_submodules

    factory, whole, options = _factory(folder, config)
    options |= {"dtype": dtype} | (spread or _without_towers(folder, config))
    if gguf:
        options["gguf_file"] = gguf
    else:
        options["use_safetensors"] = not allow_pickle or None  # None: whichever is there
        if wrapped(folder):
            options["key_mapping"] = {rf"^(?:{'|'.join(map(re.escape, WRAPPERS))})+": ""}
    if allow_pickle:
        options["weights_only"] = True
    bar = redirect_stderr(StringIO()) if gguf else nullcontext()  # theirs cannot be switched off
    with refusing(folder / gguf, "cannot be loaded"), _quiet(), bar:
        model, info = factory.from_pretrained(folder, output_loading_info=True, **options)
    if not spread and "device_map" in options:
        remove_hook_from_submodules(model)
    missing = sorted(
        key
        for key in info["missing_keys"]
        if "pooler" not in key.split(".") and (not whole or _encodes(key))
    )
    beyond = _of_further_blocks(model, info["unexpected_keys"])
    if beyond:
        raise ValueError(
            f"{folder}: the checkpoint has {len(beyond)} weights of blocks that its config.json leaves "
            f"out, first {beyond[0]}"
        )
    mismatched = sorted(str(key[0]) for key in info.get("mismatched_keys", ()))
    for problem, keys in (("has no values for", missing), ("has the wrong shape for", mismatched)):
        if keys:
            raise ValueError(
                f"{folder}: the checkpoint {problem} {len(keys)} encoder weights, first {keys[0]}; "
                "they would be random"
            )
    return Loaded(model, whole)


def _without_towers(folder: Path, config: Any) -> Columns:
    """Return what leaves all but the part for text in the files."""
    if config.is_encoder_decoder or config.get_text_config() is config:
        return {}
    model = empty_model(folder, config)
    part = _text_part(model)
    if not part or any(True for _ in model.parameters(recurse=False)):
        return {}
    places = {name: "cpu" if name == part else "disk" for name, _ in model.named_children()}
    return {"device_map": places} if "disk" in places.values() else {}


def _of_further_blocks(model: Any, keys: Iterable[str]) -> list[str]:
    """Return the weights that are of a block beyond the last one of the model."""
    from torch.nn import ModuleList

    lists = {name: len(one) for name, one in model.named_modules() if isinstance(one, ModuleList)}
    places = {
        key: re.match(r"(.+?)\.(\d+)\.", key.removeprefix(f"{model.base_model_prefix}.")) for key in keys
    }
    return sorted(
        key for key, at in places.items() if at and at[1] in lists and int(at[2]) >= lists[at[1]]
    )


def _encodes(key: str) -> bool:
    """Return whether a weight of an encoder-decoder is the encoder's."""
    return key.removeprefix("model.").startswith(("encoder.", "shared."))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers' bar and report of weights off the screen: what they say is checked here."""
    from transformers.utils import logging as theirs

    level, bars = theirs.get_verbosity(), theirs.is_progress_bar_enabled()
    theirs.set_verbosity_error()
    theirs.disable_progress_bar()
    placing = logging.getLogger("accelerate.big_modeling")  # says what stayed in the files
    before = placing.level
    placing.setLevel(logging.ERROR)
    try:
        yield
    finally:
        placing.setLevel(before)
        theirs.set_verbosity(level)
        if bars:
            theirs.enable_progress_bar()


def random_encoder(folder: Path, config: Any, dtype: Any, seed: int) -> Any:
    """Return the encoder with the weights that its training would begin with."""
    import torch

    factory, whole, options = _factory(folder, config)
    with torch.random.fork_rng(), refusing(folder, "no model can be made of its config.json"):
        torch.manual_seed(seed)
        model = factory.from_config(config, dtype=dtype, **options)
    return Loaded(model, whole).encoder()


def empty_encoder(folder: Path, config: Any) -> Any:
    """Return the encoder that `load_model` would load, with weights that take no memory."""
    return Loaded(empty_model(folder, config), _factory(folder, config)[1]).encoder()


def empty_model(folder: Path, config: Any) -> Any:
    """Return the model that `load_model` would load, with weights that take no memory."""
    import torch

    factory, _, options = _factory(folder, config)
    with torch.device("meta"), refusing(folder, "no model can be made of its config.json"):
        return factory.from_config(config, **options)


def encoder_config(config: Any) -> Any:
    """Return the part of a configuration that describes the encoder's (or decoder's) blocks."""
    if not config.is_encoder_decoder:
        return config.get_text_config()
    own = getattr(config, "encoder", None)  # T5Gemma, EncoderDecoderModel
    return config.get_text_config(encoder=True) if own is None else own


def _factory(folder: Path, config: Any) -> tuple[Any, bool, Columns]:
    """Return what makes a model, whether it makes a decoder besides, and how to ask for no pooler."""
    from transformers import AutoModel, AutoModelForTextEncoding

    def class_of(factory: Any) -> Any:
        if type(config) not in factory._model_mapping:
            return None
        kind = factory._model_mapping[type(config)]
        return kind[0] if isinstance(kind, tuple | list) else kind

    kind, encoder_only = class_of(AutoModel), class_of(AutoModelForTextEncoding)
    if encoder_only not in (None, kind) and not _wants_no_decoder(config, encoder_only):
        return AutoModelForTextEncoding, False, {"trust_remote_code": False}
    if kind is None:
        raise ValueError(f"{folder}: transformers has no encoder for model type {config.model_type!r}")
    options: Columns = {"trust_remote_code": False}
    if "add_pooling_layer" in inspect.signature(kind.__init__).parameters:
        options["add_pooling_layer"] = False
    return AutoModel, config.is_encoder_decoder, options


def _wants_no_decoder(config: Any, kind: Any) -> bool:
    """Return whether an encoder's class refuses the configuration of an encoder-decoder (T5Gemma)."""
    import torch

    if not config.is_encoder_decoder:
        return False
    try:
        with torch.device("meta"):
            kind(config)
    except Exception:  # whatever the reason, that class is not to be had
        return True
    return False
