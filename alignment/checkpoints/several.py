"""Several checkpoints by one name: the scales of a family, the revisions of a model."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from ..runs.table import canonical_hash
from .checkpoint import Checkpoint
from .families import PREFIX, members_of
from .folders import BUILTIN, is_hub_id
from .hub_files import for_a_while, revisions_of
from .opening import open_checkpoint
from .options import LoadOptions
from .steps import steps_in


class NamedCheckpoint(NamedTuple):
    """One of several checkpoints."""

    checkpoint: str  # built in, a folder, or an id on the hub
    revision: str | None = None
    prompt: str | None = None  # that its family has
    commit: str = ""  # of a revision on the hub

    @property
    def slug(self) -> str:
        """Its name as a folder's."""
        name = self.revision if self.revision is not None else Path(self.checkpoint).name
        return re.sub(r"[^\w.-]+", "-", name).strip(".-") or "checkpoint"

    @contextmanager
    def opened(self, options: LoadOptions) -> Iterator[Checkpoint]:
        """Give the checkpoint; a revision that had to be downloaded for it is removed afterwards."""
        settings = options.opening()
        if options.prefix is None:
            settings["prefix"] = self.prompt
        if not self.commit:
            yield open_checkpoint(self.checkpoint, **settings)
            return
        with for_a_while(self.checkpoint, self.commit, allow_pickle=options.allow_pickle) as folder:
            found = open_checkpoint(folder, **settings)
            yield replace(
                found, name=self.checkpoint, revision=self.commit, label=self.revision or self.commit
            )


def slugs_of(subjects: Sequence[NamedCheckpoint]) -> list[str]:
    """Return the names of all as folders', no two alike on any file system."""
    slugs = [one.slug for one in subjects]
    alike = Counter(slug.casefold() for slug in slugs)
    return [
        slug if alike[slug.casefold()] == 1 else f"{slug}-{canonical_hash(one._asdict())[:8]}"
        for slug, one in zip(slugs, subjects, strict=True)
    ]


def family_subjects(name: str) -> list[NamedCheckpoint]:
    """Return the scales of `family:NAME`, smallest first.

    Raises:
        ValueError: there is no such family.
    """
    members = members_of(name.removeprefix(PREFIX))
    return [NamedCheckpoint(one.id, prompt=one.prompt or None) for one in members]


def revision_subjects(checkpoint: str, pattern: str) -> list[NamedCheckpoint]:
    """Return the revisions of a model by a pattern, in the order of their steps.

    Args:
        checkpoint: a folder that has a folder for each, or an id on the hub.
        pattern: of their names: `step*`.

    Raises:
        ValueError: nothing matches.
        OSError: the hub does not have the model or cannot be reached.
    """
    folder = Path(checkpoint)
    if checkpoint in BUILTIN or ":" in checkpoint:
        raise ValueError(f"{checkpoint} has no revisions")
    if folder.is_dir():
        found = {one.name: NamedCheckpoint(str(one)) for one in folder.iterdir() if one.is_dir()}
    elif is_hub_id(checkpoint):
        commits = revisions_of(checkpoint)
        found = {name: NamedCheckpoint(checkpoint, name, commit=sha) for name, sha in commits.items()}
    else:
        raise ValueError(f"{checkpoint}: no such folder, and not a hub id (owner/name)")
    names = [name for name in found if fnmatchcase(name, pattern)]
    if not names:
        known = ", ".join(sorted(found)[:5]) or "none"
        raise ValueError(f"{checkpoint}: no revision matches {pattern!r}; there are {known}")
    return [found[name] for name in sorted(names, key=_order)]


def _order(name: str) -> tuple[Any, ...]:
    """Return what names of revisions are sorted by: step, tokens, then numbers as numbers."""
    step, tokens = steps_in(name)
    parts = [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
    return step is None, step or 0, tokens or 0, parts
