"""A model whose blocks stay in their files: for the fingerprint, and for models larger than memory.

transformers maps names, shapes and experts as it always does; by a `device_map` it leaves the weights of
all blocks where they are, and tells where that is.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ...data.rows import Columns
from .loading import empty_model, load_model

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class Skeleton:
    """An encoder; the weights of its blocks are on the meta device until `filled` reads them."""

    model: Any
    # of each of those weights: the tensors of a file, and its name there
    files: Mapping[str, tuple[Mapping[str, "Tensor"], str]]

    def tensors(self) -> Iterator[tuple[str, "Tensor"]]:
        """Yield names and values of all tensors, sorted by name; each is read when its turn comes."""
        for name, tensor in sorted(self.model.state_dict().items()):
            yield name, self._read(name) if tensor.is_meta else tensor

    def bring(self, device: str, blocks: str) -> None:
        """Bring all that lies outside a list of blocks to a device."""
        self._fill([name for name in self.files if not name.startswith(f"{blocks}.")], device)
        for parameter in self.model.parameters():
            if not parameter.is_meta:
                parameter.data = parameter.data.to(device)
        for module in self.model.modules():
            for name, buffer in module._buffers.items():
                if buffer is not None and not buffer.is_meta:
                    module._buffers[name] = buffer.to(device)

    @contextmanager
    def filled(self, block: str, device: str) -> Iterator[None]:
        """Have the weights of a block in memory for as long as the context lasts."""
        from accelerate.utils import set_module_tensor_to_device

        names = [name for name in self.files if name.startswith(f"{block}.")]
        try:
            self._fill(names, device)
            yield
        finally:
            for name in names:
                set_module_tensor_to_device(self.model, name, "meta")

    def sizes(self) -> tuple[int, int]:
        """Return the bytes of what lies outside of all blocks, and of the largest block."""
        outside, blocks = 0, Counter[str]()
        for name, parameter in self.model.named_parameters():
            size = parameter.numel() * parameter.dtype.itemsize
            block = re.match(r".*?\.\d+\.", name) if name in self.files else None
            if block is None:
                outside += size
            else:
                blocks[block[0]] += size
        return outside, max(blocks.values(), default=0)

    def _fill(self, names: Sequence[str], device: str) -> None:
        from accelerate.utils import set_module_tensor_to_device

        for name in names:
            set_module_tensor_to_device(self.model, name, device, value=self._read(name))

    def _read(self, name: str) -> "Tensor":
        weights, key = self.files[name]
        return weights[key]


@contextmanager
def open_skeleton(folder: Path, config: Any, dtype: Any) -> Iterator[Skeleton]:
    """Load what lies outside the blocks of a model, on the CPU.

    Weights that transformers puts together from several, as those of experts, lie in a temporary folder
    for as long as the context lasts.

    Args:
        folder: of the transformer, with safetensors.
        config: its configuration, of transformers.
        dtype: of the weights, or "auto": that of the file.

    Raises:
        ValueError: what `load_model` refuses.
    """
    from accelerate.hooks import remove_hook_from_submodules

    places = _device_map(empty_model(folder, config))
    with TemporaryDirectory(prefix="crosslingual-") as made:
        spread = {"device_map": places, "offload_folder": made} if "disk" in places.values() else {}
        loaded = load_model(folder, config, dtype, spread, allow_pickle=False)
        encoder = loaded.encoder()
        files: dict[str, tuple[Mapping[str, Tensor], str]] = {}
        for path, module in encoder.named_modules():
            weights: Any = getattr(getattr(module, "_hf_hook", None), "weights_map", None)
            for name, parameter in module.named_parameters(recurse=False):
                if parameter.is_meta:
                    files[f"{path}.{name}"] = (weights, name)
        remove_hook_from_submodules(loaded.model)
        yield Skeleton(encoder, files)


def whole_only(folder: Path, config: Any, dtype: str) -> str:
    """Return why a model can only be loaded whole; nothing where its blocks can stay in their files.

    Args:
        folder: of the transformer.
        config: its configuration.
        dtype: of the weights, or "auto": that of the file.
    """
    if getattr(config, "quantization_config", None) is not None:
        return "it is quantised"
    model = empty_model(folder, config)
    dtype = str(config.dtype).removeprefix("torch.") if dtype == "auto" else dtype
    names = ("_keep_in_fp32_modules", "_keep_in_fp32_modules_strict")
    if dtype != "float32" and any(getattr(model, name, None) for name in names):
        return "some of its weights are float32 in any case"
    if _device_map(model).get("") is not None:
        return "it has weights next to its blocks that belong to no module"
    return ""


def _device_map(model: "torch.nn.Module", path: str = "") -> Columns:
    """Return "disk" for every list of blocks, "cpu" for all else, by name of the module.

    A module above a list that has weights of its own has no place: then all is "cpu", under "".
    """
    from torch.nn import ModuleList

    if isinstance(model, ModuleList) and len(model):
        return {path: "disk"}
    if path and not any(isinstance(module, ModuleList) for module in model.modules()):
        return {path: "cpu"}
    places: Columns = {}
    for name, child in model.named_children():
        places |= _device_map(child, f"{path}.{name}" if path else name)
    if any(True for _ in model.parameters(recurse=False)):
        places[""] = "cpu"
    return places
