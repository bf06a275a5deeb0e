"""A model ready to be timed, and the clocks: tokenising, transfer, forward, pooling or head, search."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...alignment.encoding.encode import make_batch
from ...alignment.encoding.hidden_states import forward
from ...alignment.encoding.pooling import mean
from ...training.tasks.features import collate, make_features
from ...training.tasks.heads import MultiHead
from .generating import check_decoder, decode, output_matrix, prefill
from .subjects import TimedModel
from .workload import Unit

CLOCKS = ("tokenise", "transfer", "forward", "pooling")
SHAPE_CLOCKS = CLOCKS[1:]
TASK_CLOCKS = ("tokenise", "transfer", "forward", "head")
WRITING_CLOCKS = ("tokenise", "transfer", "prefill", "decode")
FOUND = 10  # that a search returns


@dataclass(frozen=True, eq=False)
class Running:
    """A loaded subject."""

    subject: TimedModel
    model: Any
    device: Any  # of torch
    indexes: Mapping[int, Any] = field(default_factory=dict)  # by size, what is searched
    heads: dict[str, Any] = field(default_factory=dict)  # of tasks and words, made when first needed

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

        cpu, watch = time.process_time(), Stopwatch(self.device)
        with torch.inference_mode():
            if unit.written:
                counts, vectors = self._written(unit, watch), np.empty((0, 0))
            elif unit.examples:
                counts, vectors = self._task(unit, watch)
            else:
                counts, vectors = self._texts(unit, watch)
        found = watch.laps | {"wall": sum(watch.laps.values()), "cpu": time.process_time() - cpu}
        for size, index in self.indexes.items():
            index.search(vectors, FOUND)
            found[f"search@{size}"] = watch.lap(f"search@{size}")
        return found | counts

    def _texts(self, unit: Unit, watch: "Stopwatch") -> tuple[dict[str, float], np.ndarray]:
        """Encode texts, or tokens, as `score` does."""
        import torch

        checkpoint, tokens = self.subject.checkpoint, unit.tokens
        if tokens is None:
            tokens = self.subject.tokens(unit.texts)
        pad = checkpoint.tokenizer.pad_token_id or 0
        batch = make_batch(tokens, np.arange(unit.count), pad, torch.device("cpu"))
        if unit.tokens is None:
            watch.lap("tokenise")
        watch.restart()
        batch = batch.to(self.device)
        watch.lap("transfer")
        states = forward(self.model, batch).last_hidden_state
        watch.lap("forward")
        vectors = mean(states, batch.to(states.device)).cpu().numpy()
        watch.lap("pooling")
        return {"tokens": float(tokens.counts.sum()), "padded": float(batch.ids.numel())}, vectors

    def _task(self, unit: Unit, watch: "Stopwatch") -> tuple[dict[str, float], np.ndarray]:
        """Answer examples: windows of long contexts, options of choices, a head at the end."""
        checkpoint = self.subject.checkpoint
        pad = checkpoint.tokenizer.pad_token_id or 0
        features = make_features(unit.examples, checkpoint.tokenizer, checkpoint.max_length)
        inputs = collate(features.rows, "task", pad)
        del inputs["head"], inputs["labels"]
        watch.lap("tokenise")
        width = inputs["input_ids"].shape[-1]
        flat = {name: one.reshape(-1, width).to(self.device) for name, one in inputs.items()}
        watch.lap("transfer")
        states = self.model(**flat).last_hidden_state
        watch.lap("forward")
        head = self._head(unit, states.dtype)
        logits = head(states, flat["attention_mask"]).float().cpu().numpy()
        watch.lap("head")
        mask = inputs["attention_mask"]
        return {"tokens": float(mask.sum()), "padded": float(mask.numel())}, logits

    def _written(self, unit: Unit, watch: "Stopwatch") -> dict[str, float]:
        """Read a text, then write its tokens; of long ones what leaves room for both."""
        import torch

        ids = self.subject.tokens(unit.texts).ids[: max(2, self.subject.checkpoint.max_length // 2)]
        on_cpu = torch.from_numpy(ids.astype(np.int64))[None]
        watch.lap("tokenise")
        on_device = on_cpu.to(self.device)
        watch.lap("transfer")
        if "words" not in self.heads:
            check_decoder(self.model, on_device, self.subject.name)
            self.heads["words"] = output_matrix(self.model)
            watch.restart()
        kept = prefill(self.model, on_device, self.heads["words"])
        watch.lap("prefill")
        decode(self.model, on_device, kept, self.heads["words"])
        watch.lap("decode")
        return {"tokens": float(len(ids)), "padded": float(len(ids))}

    def _head(self, unit: Unit, dtype: Any) -> Any:
        """Return a head with random weights: what it takes does not depend on them."""
        assert unit.head is not None
        if unit.head.kind not in self.heads:
            made = MultiHead(self.model, {"task": unit.head}, seed=0).heads["task"]
            self.heads[unit.head.kind] = made.to(self.device, dtype).eval()
        return self.heads[unit.head.kind]


class Stopwatch:
    """Laps in seconds, by name."""

    def __init__(self, device: Any) -> None:
        """Start, on a device that is waited for before a lap ends."""
        self.device = device
        self.laps: dict[str, float] = {}
        self.restart()

    def lap(self, name: str) -> float:
        """Return the seconds since the last lap ended, and keep them."""
        self.laps[name] = -self._since + self._now()
        self.restart()
        return self.laps[name]

    def restart(self) -> None:
        """Begin a lap."""
        self._since = self._now()

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
