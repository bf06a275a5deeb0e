"""Grids against what one writes by hand: a pair at a time.

    grid/cka/ckatorch   25 × 25 debiased CKA, n = 1000, d = 1024, against ckatorch cka_base per pair
    grid/cka/features   the same against a loop over pairs in feature space (‖XᵀY‖² and so on)
    grid/cka/null       the same, ours with null, z and p
    grid/cka/all        520 × 520 (40 languages × 13 layers), n = 1000, d = 768: ours alone, peak memory
    grid/cca/squared    25 × 25 mean squared CCA, n = 5000, d = 256, against the CKA grid of these
    grid/cca/mean       mean CCA, against an SVD of both sides per pair
    grid/cca/heldout    held-out CCA, likewise per pair and fold

Both sides use all cores, in one process, in turn; a peer that would take long is timed on some pairs
and scaled (`pairs`). A line of JSON per comparison; `ratio` = peer's time / ours, median of the rounds.

    python benchmarks/grid.py [--only NAME] [--rounds 3]
"""

import argparse
import json
import os
import resource
import statistics
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from encode import hardware

from crosslingual.alignment.grids.all_pairs import grid
from crosslingual.alignment.similarity import cca, cka
from crosslingual.alignment.similarity.view import View

LAYERS = 25
Peer = Callable[[np.ndarray, np.ndarray], float]


def layers(count: int, n: int, d: int, seed: int) -> list[np.ndarray]:
    """Representations that resemble their neighbours, as layers do."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(n, d)) / np.arange(1, d + 1) ** 0.25
    found = []
    for _ in range(count):
        shared = 0.9 * shared + 0.4 * rng.normal(size=(n, d)) / np.arange(1, d + 1) ** 0.25
        found.append(shared.astype(np.float32))
    return found


def ckatorch(x: np.ndarray, y: np.ndarray) -> float:
    from ckatorch.core import cka_base

    return float(cka_base(torch.from_numpy(x), torch.from_numpy(y), unbiased=True, method="fro_norm"))


def features(x: np.ndarray, y: np.ndarray) -> float:
    x, y = (side.astype(np.float64) - side.mean(axis=0, dtype=np.float64) for side in (x, y))
    products = [cka.hsic_features(a, b) for a, b in ((x, y), (x, x), (y, y))]
    return products[0] / np.sqrt(products[1] * products[2])


def svd_per_pair(x: np.ndarray, y: np.ndarray) -> float:
    bases = []
    for side in (x, y):
        centred = side.astype(np.float64) - side.mean(axis=0, dtype=np.float64)
        bases.append(np.linalg.svd(centred, full_matrices=False)[0])
    return float(np.linalg.svd(bases[0].T @ bases[1], compute_uv=False).mean())


def svd_per_fold(x: np.ndarray, y: np.ndarray) -> float:
    """Held-out CCA by the book: of every training part an SVD of both sides."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    plan = cca.deal(np.arange(len(x)), cca.FOLDS, cca.REPEATS, np.random.default_rng(0))
    # the components are the whole's, as ours
    x, y = (side - side.mean(axis=0) for side in (x, y))
    sides = [np.linalg.svd(side, full_matrices=False)[0][:, : cca.COMPONENTS] for side in (x, y)]
    found = []
    for row in plan:
        for fold in range(cca.FOLDS):
            train, test = row != fold, row == fold
            fitted = []
            for side in sides:
                mean = side[train].mean(axis=0)
                u, s, vt = np.linalg.svd(side[train] - mean, full_matrices=False)
                fitted.append((u, (side[test] - mean) @ vt.T / s))
            p, _, qt = np.linalg.svd(fitted[0][0].T @ fitted[1][0], full_matrices=False)
            a, b = fitted[0][1] @ p, fitted[1][1] @ qt.T
            found += [np.corrcoef(a[:, i], b[:, i])[0, 1] for i in range(a.shape[1])]
    return float(np.mean(found))


def timed(function: Callable[[], object]) -> tuple[float, object]:
    began = time.perf_counter()
    result = function()
    return time.perf_counter() - began, result


def loop(
    peer: Peer, left: Sequence[np.ndarray], right: Sequence[np.ndarray], pairs: int
) -> tuple[float, dict[tuple[int, int], float]]:
    """Return the time of a loop over all pairs, from some of them, and what they gave."""
    cells = [(i, j) for i in range(len(left)) for j in range(len(right))]
    some = cells[:: max(1, len(cells) // pairs)][:pairs]
    seconds, values = timed(lambda: {(i, j): peer(left[i], right[j]) for i, j in some})
    return seconds * len(cells) / len(some), values


def report(
    name: str,
    ours: Callable[[], np.ndarray],
    peer: Callable[[], tuple[float, dict[tuple[int, int], float]]],
    rounds: int,
) -> None:
    mine, theirs, difference = [], [], None
    for _ in range(rounds):
        seconds, values = peer()
        theirs.append(seconds)
        seconds, found = timed(ours)
        mine.append(seconds)
        if values:
            difference = max(abs(found[cell] - value) for cell, value in values.items())
    ratios = [b / a for a, b in zip(mine, theirs, strict=True)]
    result = {
        "name": name,
        "ours_s": round(statistics.median(mine), 2),
        "peer_s": round(statistics.median(theirs), 2),
        "ratio": round(statistics.median(ratios), 2),
        "low": round(min(ratios), 2),
        "high": round(max(ratios), 2),
        "agreement": difference if difference is None else {"max_difference": float(difference)},
    }
    emit(result)


def emit(result: dict[str, object]) -> None:
    machine = {
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "cores": os.cpu_count(),
        "hardware": hardware(),
    }
    print(json.dumps(result | machine), flush=True)


class Drawn(Sequence):
    """Representations that are made when they are read, as from a store: they take no memory."""

    def __init__(self, count: int, n: int, d: int) -> None:
        self.count, self.n, self.d = count, n, d
        self.shared = np.random.default_rng(0).normal(size=(n, d)).astype(np.float32)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, i: int) -> np.ndarray:
        if i >= self.count:
            raise IndexError(i)
        rng = np.random.default_rng([i, 1])
        return self.shared + rng.standard_normal((self.n, self.d), dtype=np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", default="")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()

    def wanted(name: str) -> bool:
        return options.only in name

    debiased = "debiased_linear_cka"
    if any(wanted(f"grid/cka/{name}") for name in ("ckatorch", "features", "null")):
        left, right = layers(LAYERS, 1000, 1024, 1), layers(LAYERS, 1000, 1024, 2)
        right = [x + y for x, y in zip(left, right, strict=True)]
        for name, null, peer, pairs in (
            ("grid/cka/ckatorch", False, ckatorch, 625),
            ("grid/cka/features", False, features, 125),
            ("grid/cka/null", True, ckatorch, 125),
        ):
            if wanted(name):
                report(
                    name,
                    lambda null=null: grid(debiased, left, right, null=null).value,
                    lambda peer=peer, pairs=pairs: loop(peer, left, right, pairs),
                    options.rounds,
                )
    if any(wanted(f"grid/cca/{name}") for name in ("squared", "mean", "heldout")):
        left, right = layers(LAYERS, 5000, 256, 3), layers(LAYERS, 5000, 256, 4)
        right = [x + y for x, y in zip(left, right, strict=True)]
        if wanted("grid/cca/squared"):
            report(
                "grid/cca/squared",
                lambda: grid("mean_squared_cca", left, right, null=False).value,
                lambda: (timed(lambda: grid(debiased, left, right, null=False))[0], {}),
                options.rounds,
            )
        for name, measure, peer, pairs in (
            ("grid/cca/mean", "mean_cca", svd_per_pair, 10),
            ("grid/cca/heldout", "heldout_cca@20", svd_per_fold, 5),
        ):
            if wanted(name):
                report(
                    name,
                    lambda measure=measure: grid(measure, left, right, null=False).value,
                    lambda peer=peer, pairs=pairs: loop(peer, left, right, pairs),
                    options.rounds,
                )
    if wanted("grid/cka/all"):
        drawn = Drawn(520, 1000, 768)
        # what drawing costs is no part of the grid
        reading, _ = timed(lambda: [View(drawn[i]) for i in range(0, 520, 10)])
        seconds, found = timed(lambda: grid(debiased, drawn))
        assert np.allclose(found.value, found.value.T)
        emit({"name": "grid/cka/all", "ours_s": round(seconds, 1), "reading_s": round(10 * reading, 1)})


if __name__ == "__main__":
    main()
