"""What is kept of a training while it runs: a line a step, encoders along the way, and the cost."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback

from ..alignment.checkpoints.about import write_about


class StepLog(TrainerCallback):  # type: ignore[misc]
    """A JSON line a step: loss, task, seconds, tokens; after a resume it goes on where that begins."""

    def __init__(self, path: Path, progress: Callable[[int, int, float], None] | None) -> None:
        """Take the file, and whom to tell of steps done, of all, and the loss."""
        self.path, self._progress = path, progress
        self._losses: list[torch.Tensor] = []
        self._masks: list[torch.Tensor] = []
        self._head, self._begin = "", 0.0

    def saw(self, head: str, loss: torch.Tensor, mask: torch.Tensor) -> None:
        """Take note of a micro-batch; nothing is read from the device before the step's end."""
        self._head = head
        self._losses.append(loss)
        self._masks.append(mask)

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Drop lines of steps that will be done again."""
        if self.path.exists():
            lines = self.path.read_text("utf-8").splitlines()[: state.global_step]
            self.path.write_text("".join(line + "\n" for line in lines), "utf-8")

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Start the clock."""
        self._begin = time.perf_counter()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Write the line."""
        loss = float(torch.stack(self._losses).sum())
        line = {
            "step": state.global_step,
            "head": self._head,
            "loss": loss,
            "seconds": round(time.perf_counter() - self._begin, 6),
            "tokens": sum(int(mask.sum()) for mask in self._masks),
            "padded": sum(mask.numel() for mask in self._masks),
        }
        self._losses.clear()
        self._masks.clear()
        if args.process_index == 0:
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(line) + "\n")
            if self._progress is not None:
                self._progress(state.global_step, state.max_steps, loss)
        if loss != loss or loss == float("inf"):
            raise ValueError(
                f"step {state.global_step}: the loss is {loss}; take a smaller rate or another precision"
            )


class Keeper(TrainerCallback):  # type: ignore[misc]
    """Saves the encoder at some steps."""

    def __init__(self, steps: Sequence[int], save: Callable[[int], None]) -> None:
        """Take the steps, and what saves."""
        self.steps, self._save = set(steps), save

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Save, where it is time."""
        if state.global_step in self.steps and args.process_index == 0:
            self._save(state.global_step)


class Sealer(TrainerCallback):  # type: ignore[misc]
    """Notes the checksums of a checkpoint once it is written: only then it counts."""

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Write them, when every process has written its part."""
        if args.world_size > 1:
            torch.distributed.barrier()
        if args.process_index == 0:
            write_about(Path(args.output_dir) / f"checkpoint-{state.global_step}", {})


def cost(log: Path) -> dict[str, float]:
    """Return what the steps cost, from their log."""
    steps = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    seconds, tokens = (float(sum(step[name] for step in steps)) for name in ("seconds", "tokens"))
    cuda = torch.cuda.max_memory_allocated() / 2**20 if torch.cuda.is_available() else 0.0
    return {
        "steps": float(len(steps)),
        "seconds": seconds,
        "tokens": tokens,
        "padded_tokens": float(sum(step["padded"] for step in steps)),
        "tokens_per_second": tokens / seconds if seconds else 0.0,
        "peak_mb": round(_peak_mb()),
        "peak_cuda_mb": round(cuda),
    }


def _peak_mb() -> float:
    """Return the most memory that the process has had; 0 where the platform does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20
