"""Random initialisation: the architecture and tokenizer of a checkpoint, with untrained weights.

What such a copy scores is known from the tokens alone: shared words, lengths, and what a random
network makes of them. A trained model's score means something above it only.
"""

from dataclasses import replace

from .checkpoint import Checkpoint

SEEDS = (1, 2, 3)


def random_copies(checkpoint: Checkpoint) -> list[Checkpoint]:
    """Return randomly initialised copies of a checkpoint, one a seed."""
    return [replace(checkpoint, name=f"{checkpoint.name} (random {s})", random_seed=s) for s in SEEDS]
