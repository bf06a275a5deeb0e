"""Where in a fine-tuned model a loss is: its base's blocks are put in, and the other way round.

A block that was damaged is found twice: with the base's block in its place alignment is back, and put
into the base it is lost there. Blocks of unlike neighbours need not fit together, so that a loss after a
swap alone is no proof; a recovery is. Along θ = (1 - a) · base + a · fine-tuned alignment may fall in
between although both ends have it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from ..alignment.checkpoints.checkpoint import Checkpoint
from ..alignment.checkpoints.opening import open_checkpoint
from ..alignment.encoding.model_parts import State, parts_of, swapped
from ..alignment.options import takes
from ..alignment.runs.files import write_table
from ..alignment.runs.results import Result, in_folder
from ..data import load
from ..data.bitext import Bitext
from ..data.rows import Columns
from ..training.live import Curves, LiveAlignment
from .options import LocateOptions

AMOUNTS = (0.25, 0.5, 0.75)  # of the fine-tuned, besides none and all


@dataclass(frozen=True, eq=False, repr=False)
class LocateResult(Result):
    """Alignment after every swap; the table has a row per model that was put together and pair."""

    def by_swap(self) -> pd.DataFrame:
        """Return the mean over languages at the best layer, by host and what was put in."""
        mean = self.table.groupby(["host", "kind", "put_in", "layer"], sort=False)["value"].mean()
        return mean.groupby(level=[0, 1, 2], sort=False).max().reset_index()


@takes(LocateOptions)
def locate(base: str | Path | Checkpoint, options: LocateOptions) -> LocateResult:
    """Put each of two checkpoints' blocks into the other, and see where alignment goes and comes back.

    Args:
        base: the pretrained checkpoint.

    Returns:
        Accuracy (both directions' mean) of every layer and language pair: of both models as they are
        (`put_in` = nothing), with the other's part i alone (`kind` = only) and with its parts 0 … i
        (up to); part 0 is what lies before the blocks. `kind` = mixed: θ = (1 - a) base + a tuned.

    Raises:
        ValueError: other shapes on the two sides; blocks that cannot be told apart.
        OSError: no such checkpoint or corpus.
    """
    if options.tuned is None:
        raise ValueError("`tuned` is missing: the fine-tuned checkpoint")
    sides = [
        one if isinstance(one, Checkpoint) else open_checkpoint(str(one), device=options.device)
        for one in (base, options.tuned)
    ]
    bitexts = load(options.corpus, data_dir=options.data_dir, languages=options.languages)
    pairs = [bitext for bitext in bitexts if isinstance(bitext, Bitext)]
    if len(pairs) < len(bitexts):
        raise ValueError(f"{options.corpus}: `locate` needs one-to-one gold")
    live = LiveAlignment.of(
        sides[0].tokenizer, pairs, sentences=options.sentences, max_length=sides[0].max_length
    )
    found = _interventions([side.load() for side in sides], sides[0].layers, live)
    table = pd.DataFrame(_rows(found))
    result = in_folder(options.out, lambda folder: LocateResult(table, folder))
    write_table(result.folder, "interventions", table)
    return result


def mixed(base: State, tuned: State, amount: float) -> State:
    """Return (1 - a) · base + a · tuned; at the ends the very tensors."""
    if amount in (0, 1):
        return dict(tuned if amount else base)
    return {
        name: torch.lerp(tensor, tuned[name], amount) if tensor.is_floating_point() else tensor
        for name, tensor in base.items()
    }


def _interventions(
    models: Sequence[torch.nn.Module], layers: int, live: LiveAlignment
) -> Iterator[tuple[Columns, Curves]]:
    """Yield what was done, and the alignment after it."""
    states = [{name: one.clone() for name, one in model.state_dict().items()} for model in models]
    shapes = [{name: one.shape for name, one in state.items()} for state in states]
    if shapes[0] != shapes[1]:
        raise ValueError("the two checkpoints have other shapes: blocks cannot be swapped")
    model, parts = models[0], parts_of(models[0], layers)

    def of(state: State, **done: Any) -> tuple[Columns, Curves]:
        model.load_state_dict(state)
        return done, live.curves(model)

    for host, name in enumerate(("base", "tuned")):
        mine, other = states[host], states[1 - host]
        yield of(mine, host=name, kind="none", put_in="nothing")
        for part in range(max(parts.values()) + 1):
            yield of(swapped(mine, other, parts, [part]), host=name, kind="only", put_in=str(part))
            upto = swapped(mine, other, parts, range(part + 1))
            yield of(upto, host=name, kind="up to", put_in=str(part))
    for amount in AMOUNTS:
        yield of(mixed(states[0], states[1], amount), host="base", kind="mixed", put_in=f"{amount:g}")


def _rows(found: Iterator[tuple[Columns, Curves]]) -> Iterator[Columns]:
    for done, curves in found:
        for pair, values in curves.items():
            for layer, value in enumerate(values):
                yield {**done, "pair": pair, "layer": layer, "value": float(np.float64(value))}
