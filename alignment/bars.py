"""Progress in a notebook: a bar where the caller takes no reports of its own."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[int, int], None]  # done, of how many


@contextmanager
def in_notebook(given: Progress | None, label: str, unit: str) -> Iterator[Progress | None]:
    """Give the caller's report; without one, a bar in a Jupyter kernel, and elsewhere nothing."""
    if given is not None or "ipykernel" not in sys.modules:
        yield given
        return
    from tqdm.auto import tqdm

    with tqdm(desc=label, unit=f" {unit}", leave=False) as bar:

        def tick(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield tick
