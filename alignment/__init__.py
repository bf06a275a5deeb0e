"""Representations of sentences, and how well they align across languages.

From bottom to top: `statistics`, `neighbours`, `runs`; `checkpoints`, `encoding`, `representations`;
`retrieval`, `similarity`, `maps`; the tables `measures` and `protocols`; and what is asked of them:
`scoring`, `grids`, `mining`, `lookup`. Each says in its first lines what is in it.
"""

from typing import Any

VERBS = ("score", "compare", "mine", "retention", "heatmap")


def __getattr__(name: str) -> Any:
    """Return a verb of the package's front door, which is where users look for it."""
    if name in VERBS:
        from importlib import import_module

        return getattr(import_module(__name__.rpartition(".")[0]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
