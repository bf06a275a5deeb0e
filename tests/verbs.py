"""The verbs, as most tests want them: the table alone."""

from typing import Any

import pandas as pd

import crosslingual


def score(checkpoint: Any, *args: Any, **options: Any) -> pd.DataFrame:
    return crosslingual.score(checkpoint, *args, **options).table


def compare(checkpoint: Any, *args: Any, **options: Any) -> pd.DataFrame:
    return crosslingual.compare(checkpoint, *args, **options).table
