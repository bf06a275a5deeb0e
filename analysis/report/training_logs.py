"""What training took: steps, tokens and seconds of every checkpoint that a study made."""

import json
from collections.abc import Iterator
from pathlib import Path

from ...alignment.checkpoints.errors import refusing
from ...data.rows import Columns
from ...data.text import read_text

LARGEST = 1 << 28  # bytes of a log


def training_costs(run: Path) -> Iterator[Columns]:
    """Yield a row per checkpoint: how many steps and tokens it was trained for, and how long.

    Args:
        run: a study's folder; another one has none.

    Raises:
        ValueError: a damaged log.
    """
    for folder in sorted((run / "checkpoints").glob("*/")):
        steps: list[dict[str, float]] = []
        for log in sorted(folder.glob("*-steps.jsonl")):
            with refusing(log, "damaged"):
                steps += [json.loads(line) for line in read_text(log, LARGEST).splitlines()]
        if steps:
            yield {
                "checkpoint": folder.name,
                "steps": len(steps),
                "tokens": int(sum(step.get("tokens", 0) for step in steps)),
                "minutes": sum(step.get("seconds", 0.0) for step in steps) / 60,
            }
