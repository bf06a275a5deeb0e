"""A model ready to be timed, and the clocks: tokenising, transfer, forward, pooling, search."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...alignment.encoding.encode import make_batch
from ...alignment.encoding.hidden_states import forward
from ...alignment.encoding.pooling import mean
from ...alignment.encoding.tokens import tokenize
from .subjects import TimedModel
from .workload import Unit

CLOCKS = ("tokenise", "transfer", "forward", "pooling")
FOUND = 10  # that a search returns


@dataclass(frozen=True, eq=False)
class Running:
    """A loaded subject."""

    subject: TimedModel
    model: Any
    device: Any  # of torch
    indexes: Mapping[int, Any] = field(default_factory=dict)  # by size, what is searched

    @staticmethod
    def of(subject: TimedModel, items: tuple[int, ...] = (), seed: int = 0) -> "Running":
        """Load a subject, and build what it searches: random vectors of its width."""
        model = subject.load()
        width = int(subject.checkpoint.config.get_text_config().hidden_size)
        indexes = {size: flat_index(size, width, seed) for size in items}
        return Running(subject, model, next(model.parameters()).device, indexes)

    def time(self, unit: Unit) -> dict[str, float]:
        """Run a unit and return what each clock shows in seconds, `wall` for all, `cpu` of the process.

        A GPU is waited for before every clock is read.
        """
        import torch

        checkpoint = self.subject.checkpoint
        cpu, stamps = time.process_time(), [self._now()]
        tokens = unit.tokens
        if tokens is None:
            fed = [checkpoint.prefix + text for text in unit.texts]
            tokens = tokenize(checkpoint.tokenizer, fed, checkpoint.max_length)
        pad = checkpoint.tokenizer.pad_token_id or 0
        batch = make_batch(tokens, np.arange(unit.count), pad, torch.device("cpu"))
        stamps.append(self._now())
        batch = batch.to(self.device)
        stamps.append(self._now())
        with torch.inference_mode():
            states = forward(self.model, batch).last_hidden_state
            stamps.append(self._now())
            vectors = mean(states, batch.to(states.device)).cpu().numpy()
        stamps.append(self._now())
        found = dict(zip(CLOCKS, np.diff(stamps).tolist(), strict=True))
        for size, index in self.indexes.items():
            start = self._now()
            index.search(vectors, FOUND)
            found[f"search@{size}"] = self._now() - start
        lengths = batch.lengths.cpu()
        return found | {
            "wall": stamps[-1] - stamps[0],
            "cpu": time.process_time() - cpu,
            "tokens": float(lengths.sum()),
            "padded": float(batch.ids.numel()),
        }

    def _now(self) -> float:
        if self.device.type == "cuda":
            import torch

            torch.cuda.synchronize(self.device)
        return time.perf_counter()


def flat_index(size: int, width: int, seed: int) -> Any:
    """Return an exact FAISS index of random unit vectors: what a search takes does not depend on them.

    Raises:
        ValueError: FAISS is not installed.
    """
    from ...alignment.lookup.index import import_faiss

    faiss = import_faiss()
    vectors = np.random.default_rng([seed, size]).standard_normal((size, width), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    index = faiss.IndexFlatIP(width)
    index.add(vectors)
    return index
