"""`vectors:DIR` where DIR has states of tokens, a file a sentence, as of vLLM's extract_hidden_states.

`DIR/<code or tag>/<id>.safetensors` holds `hidden_states` (tokens, layers, dim) and `token_ids`; pooled
here. Which layers they are is not in the files: `DIR/layers` may say it (`4,8,12`), else they are
numbered from 0. The last layer of vLLM's is before the model's final norm, unlike everywhere else here.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, Int32
from torch import Tensor

from ...data import Side
from ..checkpoints.errors import refusing
from ..encoding.pooling import POOLINGS, Batch
from .given import GivenVectors, refuse_unusable

logger = logging.getLogger(__name__)

STATES, IDS = "hidden_states", "token_ids"


@dataclass(frozen=True, eq=False)
class TokenStates(GivenVectors):
    """Token states of sentences, a file each."""

    def __post_init__(self) -> None:
        """Look at the folder.

        Raises:
            ValueError: a pooling that needs to know which tokens are special; no layers.
        """
        object.__setattr__(self, "pooling", self.pooling or "mean")
        if self.pooling not in self.poolings:
            raise ValueError(
                f"{self.name}: states of tokens have the poolings {', '.join(self.poolings)}"
            )
        logger.warning("%s: the last layer of vLLM's states is before the final norm", self.name)

    @property
    def poolings(self) -> tuple[str, ...]:
        """All but that which leaves out special tokens: nobody says which they are."""
        return tuple(name for name in POOLINGS if name != "mean-content")

    @cached_property
    def available(self) -> tuple[int, ...]:
        """The numbers of the layers.

        Raises:
            ValueError: the file `layers` has others.
        """
        count = _states(self._files[0])[0].shape[1]
        path = self.folder / "layers"
        if not path.is_file():
            return tuple(range(count))
        with refusing(path, "no list of layers"):
            numbers = tuple(int(part) for part in path.read_text("utf-8").split(","))
            if len(numbers) != count or list(numbers) != sorted(set(numbers)) or numbers[0] < 0:
                raise ValueError(f"{count} numbers are expected, upwards, got {numbers}")
        return numbers

    @cached_property
    def _files(self) -> list[Path]:
        return sorted(_state_files(self.folder))

    def read(self, side: Side, layers: Sequence[int]) -> Float32[np.ndarray, "layers n dim"]:
        """Return the pooled states of a side's sentences.

        Raises:
            ValueError: a sentence without file, another number of layers, values that are not finite.
        """
        pool, places = POOLINGS[self.pooling], [self.available.index(layer) for layer in layers]
        rows = []
        for path in self._of(side):
            states, ids = _states(path)
            if states.shape[1] != len(self.available):
                raise ValueError(
                    f"{path} has {states.shape[1]} layers, {self._files[0]} {len(self.available)}"
                )
            chosen = states[:, places].transpose(0, 1).float()
            batch = Batch(
                ids.expand(len(places), -1),
                torch.full((len(places),), len(ids)),
                torch.zeros(len(places), len(ids), dtype=torch.bool),
                padded=False,
            )
            rows.append(pool(chosen, batch).numpy())
        found: np.ndarray = np.stack(rows, axis=1)
        refuse_unusable(str(self.folder), found, side, layers)
        return found

    def counts(self, side: Side) -> Int32[np.ndarray, "n 3"]:
        """Return the tokens of each sentence; whether it was cut, or has unknown ones, nobody says."""
        counts = np.zeros((len(side.ids), 3), np.int32)
        counts[:, 0] = [len(_states(path)[1]) for path in self._of(side)]
        return counts

    def _of(self, side: Side) -> list[Path]:
        """Return the file of each sentence.

        Raises:
            ValueError: some have none.
        """
        place = self._place(side)
        folders = [place / name for name in (side.code, side.language) if (place / name).is_dir()]
        if not folders:
            raise ValueError(f"{place}: neither a folder {side.code} nor {side.language} there")
        files = [folders[0] / f"{name}.safetensors" for name in side.ids]
        lacking = [path for path in files if not path.is_file()]
        if lacking:
            raise ValueError(f"{len(lacking)} of {len(files)} files are not there, first {lacking[0]}")
        return files


def has_token_states(folder: Path) -> bool:
    """Return whether a folder has files of token states."""
    from safetensors import safe_open

    first = next(_state_files(folder), None)
    if first is None:
        return False
    with refusing(first, "cannot be read"), safe_open(first, framework="pt") as file:
        return STATES in list(file.keys())


def _state_files(folder: Path) -> Iterator[Path]:
    """Yield the files of languages' folders: of the folder itself, and of corpora and splits in it."""
    for pattern in ("*/*.safetensors", "*/*/*/*.safetensors"):
        yield from folder.glob(pattern)


def _states(path: Path) -> tuple[Tensor, Tensor]:
    """Return the states (tokens, layers, dim) and ids of a file."""
    from safetensors.torch import load_file

    with refusing(path, "no states of tokens"):
        found = load_file(path)
        states, ids = found[STATES], found[IDS].reshape(-1)
        if states.dim() != 3 or len(states) != len(ids) or not states.is_floating_point():
            raise ValueError(
                f"{STATES} (tokens, layers, dim) and as many {IDS} are expected, got "
                f"{tuple(states.shape)} and {len(ids)}"
            )
        if 0 in states.shape:
            raise ValueError("it is empty")
    return states, ids
