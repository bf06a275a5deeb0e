"""Which task and rows each optimizer step sees: a function of the seed and the step, of nothing else.

So there is no state to save: a run that was killed and goes on sees what it would have seen.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from jaxtyping import Float64, Int64

from ..data.nearest import closest

CAP = 2**17  # Raffel et al. 2020; Phang et al. 2020
NEAR = 50  # batches' worth of rows among which those of like length are brought together
SAMPLERS = ("proportional", "capped", "temperature", "uniform")


def proportions(
    sizes: Mapping[str, int], sampler: str, *, cap: int = CAP, temperature: float = 1.0
) -> Float64[np.ndarray, "t"]:
    """Return each task's share of the steps.

    p_i ∝ n_i (`proportional`), min(n_i, cap) (`capped`), min(n_i, cap)^(1/T) (`temperature`) or 1
    (`uniform`). Source: Raffel et al. 2020, section 3.5.2, https://arxiv.org/abs/1910.10683.

    Args:
        sizes: examples of each task.
        sampler: one of `SAMPLERS`.
        cap: more examples than these do not count.
        temperature: T ≥ 1 brings the shares nearer to each other.

    Raises:
        ValueError: another sampler, a task without examples, T or cap not positive.
    """
    if sampler not in SAMPLERS:
        raise ValueError(f"unknown sampler {sampler!r}: {closest(sampler, SAMPLERS)}")
    if temperature <= 0 or cap < 1:
        raise ValueError(f"temperature {temperature} and cap {cap} must be positive")
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} has no training examples")
    n = np.array(list(sizes.values()), dtype=np.float64)
    if sampler != "proportional":
        n = np.minimum(n, cap)
    exponent = {"temperature": 1 / temperature, "uniform": 0.0}.get(sampler, 1.0)
    weights: np.ndarray = n**exponent / (n**exponent).sum()
    return weights


class TaskSchedule:
    """The batches of a phase: one task a step, every task's rows in an order redrawn each epoch.

    Rows of a batch are of like length, or half of it would be padding: of `NEAR` batches' rows in the
    drawn order, the batches are cut by length, and come in an order drawn again.
    """

    def __init__(
        self,
        lengths: Sequence[Sequence[int] | Int64[np.ndarray, "_"]],
        shares: Sequence[float] | Float64[np.ndarray, "t"],
        *,
        steps: int,
        batch: int,
        micro_batches: int = 1,
        seed: int = 0,
    ) -> None:
        """Draw the task of every step.

        Args:
            lengths: of each task's rows.
            shares: of the steps.
            steps: optimizer steps.
            batch: examples of a micro-batch.
            micro_batches: of a step: accumulated ones times processes, all of one task.
            seed: of tasks and orders.
        """
        self.lengths = [np.asarray(each) for each in lengths]
        self.batch, self.micro_batches, self.seed = batch, micro_batches, seed
        rng = np.random.default_rng([seed, 0])
        self.tasks = rng.choice(len(self.lengths), size=steps, p=np.asarray(shares))
        # how often the task of a step came before
        self.before = np.empty(steps, np.int64)
        for task in range(len(self.lengths)):
            there = np.flatnonzero(self.tasks == task)
            self.before[there] = np.arange(len(there))

    def __len__(self) -> int:
        """Return the number of micro-batches."""
        return len(self.tasks) * self.micro_batches

    def rows(self, step: int) -> Int64[np.ndarray, "m b"]:
        """Return the rows of a step, a micro-batch each."""
        task = int(self.tasks[step])
        size, count = len(self.lengths[task]), self.micro_batches * self.batch
        start = int(self.before[step]) * count
        epochs = range(start // size, (start + count - 1) // size + 1)
        orders = np.concatenate([self._order(task, epoch) for epoch in epochs])
        first = start - epochs[0] * size
        rows: np.ndarray = orders[first : first + count].reshape(self.micro_batches, self.batch)
        return rows

    def _order(self, task: int, epoch: int) -> Int64[np.ndarray, "n"]:
        """Return the order of a task's rows in an epoch."""
        lengths, rng = self.lengths[task], np.random.default_rng([self.seed, 1, task, epoch])
        order = rng.permutation(len(lengths))
        begin = -epoch * len(lengths) % self.batch  # the first rows fill the batch that is begun
        for start in range(begin, len(order) - self.batch + 1, NEAR * self.batch):
            some = order[start : start + NEAR * self.batch]
            some = some[np.argsort(lengths[some], kind="stable")]
            whole = some[: len(some) // self.batch * self.batch].reshape(-1, self.batch)
            order[start : start + whole.size] = rng.permutation(whole).ravel()
            order[start + whole.size : start + len(some)] = some[whole.size :]
        return order

    def __iter__(self) -> Iterator[list[tuple[int, int, int]]]:
        """Yield micro-batches as (task, row, number of the draw): a step's follow each other."""
        for step, task in enumerate(self.tasks.tolist()):
            first = step * self.micro_batches * self.batch
            rows = self.rows(step)
            draws = first + np.arange(rows.size).reshape(rows.shape)
            for some, numbers in zip(rows, draws, strict=True):
                yield [(task, int(row), int(draw)) for row, draw in zip(some, numbers, strict=True)]
