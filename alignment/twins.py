"""Random twins: the checkpoint's architecture and tokenizer with weights that were never trained.

What a twin scores is known from the tokens alone: shared words, lengths, and what a random network makes
of them. A trained model's score means something above it only.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pandas as pd

from .checkpoint import Checkpoint

SEEDS = (1, 2, 3)
# what a floor and the score above it have in common
_SAME = [
    *("corpus", "split", "unit", "source_code", "target_code"),
    *("pooling", "map", "map_fit", "layer", "measure", "direction"),
]


def twins_of(checkpoint: Checkpoint) -> list[Checkpoint]:
    """Return a checkpoint's twins, one a seed."""
    return [replace(checkpoint, name=f"{checkpoint.name} (random {s})", twin=s) for s in SEEDS]


def with_random_floor(
    table: pd.DataFrame,
    twins: Sequence[Checkpoint],
    score: Callable[[Checkpoint], pd.DataFrame],
) -> pd.DataFrame:
    """Return a score table with the column `random`: the mean over its twins' scores.

    Args:
        table: of the checkpoint.
        twins: see `twins_of`.
        score: returns a twin's table.
    """
    floors = pd.concat([score(twin)[[*_SAME, "value"]] for twin in twins])
    means = floors.groupby(_SAME)["value"].mean().rename("random").reset_index()
    found = table.drop(columns="random").merge(means, on=_SAME, how="left", validate="one_to_one")
    return found[table.columns.tolist()]
