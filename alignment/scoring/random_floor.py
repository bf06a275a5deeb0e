"""The random floor: the mean score of randomly initialised copies of a checkpoint."""

from collections.abc import Callable, Sequence

import pandas as pd

from ..checkpoints.checkpoint import Checkpoint
from ..runs.table import SCORE, SENTENCES, TREATMENT

# what a floor and the score above it have in common
_SAME = [*SENTENCES, *TREATMENT, *SCORE]


def with_random_floor(
    table: pd.DataFrame,
    copies: Sequence[Checkpoint],
    score: Callable[[Checkpoint], pd.DataFrame],
) -> pd.DataFrame:
    """Return a score table with the column `random`: the mean over the scores of random copies.

    Args:
        table: of the checkpoint.
        copies: see `random_copies`.
        score: returns a copy's table.
    """
    floors = pd.concat([score(copy)[[*_SAME, "value"]] for copy in copies])
    means = floors.groupby(_SAME)["value"].mean().rename("random").reset_index()
    found = table.drop(columns="random").merge(means, on=_SAME, how="left", validate="one_to_one")
    return found[table.columns.tolist()]
