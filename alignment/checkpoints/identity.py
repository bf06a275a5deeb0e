"""What a checkpoint is, computed: its fingerprint and its sizes."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from .about import verify_files
from .fingerprint import Identity, hash_folder
from .loading import empty_encoder
from .sizes import sizes_of
from .skeleton import Skeleton, open_skeleton
from .weight_files import check_weights, stored_tensors

if TYPE_CHECKING:
    import torch

    from .checkpoint import Checkpoint

logger = logging.getLogger(__name__)

WHOLE = 1e9  # bytes of weights; larger ones are hashed tensor by tensor, without being loaded


def identify(checkpoint: "Checkpoint") -> Identity:
    """Hash a checkpoint.

    Raises:
        ValueError: it cannot be read.
    """
    verify_files(checkpoint.folder, checkpoint.about)
    with _in_files(checkpoint) as (model, tensors):
        fingerprint = hash_folder(tensors, checkpoint.parts, checkpoint.settings, checkpoint.tokenizer)
        sizes = sizes_of(model, checkpoint.config)
    longest = int(checkpoint.tokenizer.model_max_length)
    return Identity(fingerprint, *sizes, *checkpoint.shape, longest)


@contextmanager
def _in_files(
    checkpoint: "Checkpoint",
) -> Iterator[tuple["torch.nn.Module", Iterable[tuple[str, "torch.Tensor"]]]]:
    """Give the encoder, and its tensors as they are in the files, sorted by name."""
    folder, parts = checkpoint.parts.transformer, checkpoint.parts
    if checkpoint.quantised and checkpoint.random_seed is None and not (parts.gguf or parts.adapter):
        # what a library makes of them in memory is its own affair, and may have no bytes
        yield empty_encoder(folder, checkpoint.config), stored_tensors(folder)
        return
    with ExitStack() as stack:
        opened = _large_skeleton(checkpoint, stack)
        if opened is None:
            model = checkpoint.load(checking=True)
            yield model, sorted(model.state_dict().items())
        else:
            yield opened.model, opened.tensors()


def _large_skeleton(checkpoint: "Checkpoint", stack: ExitStack) -> Skeleton | None:
    """Open the skeleton of a large model, if it has one: hashing does not need it in memory."""
    folder = checkpoint.parts.transformer
    if sum(path.stat().st_size for path in folder.glob("*.safetensors")) <= WHOLE:
        return None
    if checkpoint.whole_only("auto"):
        return None
    check_weights(folder, allow_pickle=False)
    try:
        return stack.enter_context(open_skeleton(folder, checkpoint.config, "auto"))
    except ValueError as error:
        logger.info("%s; it is loaded to be hashed", error)
        return None
