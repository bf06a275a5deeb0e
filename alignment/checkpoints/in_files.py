"""The tensors of a checkpoint as they are in its files, loaded only where they have to be."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .loading import empty_encoder
from .skeleton import Skeleton, open_skeleton
from .weights import check_weights, stored_tensors

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

logger = logging.getLogger(__name__)

WHOLE = 1e9  # bytes of weights; larger ones are read tensor by tensor


@contextmanager
def encoder_in_files(
    folder: Path,
    config: Any,
    *,
    quantised: bool,
    load: Callable[[], "Module"],
    whole_only: Callable[[], str],
) -> "Iterator[tuple[Module, Iterable[tuple[str, Tensor]]]]":
    """Give an encoder, for its shapes, and names and values of all its tensors, sorted by name.

    Args:
        folder: of the transformer.
        config: its configuration, of transformers.
        quantised: its files have what a library makes its weights of.
        load: loads it, in the dtype of its files.
        whole_only: why it has to be loaded; nothing where its blocks can stay in their files.

    Raises:
        ValueError: it cannot be read.
    """
    if quantised:  # in memory they are a library's own affair, and may have no bytes
        yield empty_encoder(folder, config), stored_tensors(folder)
        return
    with ExitStack() as stack:
        opened: Skeleton | None = None
        if _size(folder) > WHOLE and not whole_only():
            check_weights(folder, allow_pickle=False)
            try:
                opened = stack.enter_context(open_skeleton(folder, config, "auto"))
            except ValueError as error:
                logger.info("%s; it is loaded to be hashed", error)
        if opened is None:
            model = load()
            yield model, sorted(model.state_dict().items())
        else:
            yield opened.model, opened.tensors()


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.safetensors"))
