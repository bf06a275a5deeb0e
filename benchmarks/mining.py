"""Neighbours in both directions against FAISS, from memory maps.

    mining/bfloat16/N-D-K   ours, candidates by bfloat16 products, against two IndexFlatIP searches
    mining/float32/N-D-K    ours, candidates by float32 products, against the same
    mining/ivf/N-D-K        ours (exact) against two IndexIVFFlat searches, nprobe so that recall@K ≥ .99

N vectors a side of D dimensions, K neighbours; a third of them are noisy translations, the others none.
Both sides use all cores, in turn, `ratio` = peer's time / ours, median of the rounds. A flat search
of more than 50,000 queries is timed on 20,000 of them and scaled (it is linear in them). `limit` = our
time / the time of the bare product of the rounded vectors. `peak_mb`: memory beyond the mapped files.

    python benchmarks/mining.py [--sizes 10000,50000] [--dims 384,768] [--ks 4] [--only NAME] > LINES
    python benchmarks/mining.py --plot LINES FIGURE   # time against N, of all lines of one D and K
"""

import argparse
import json
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import faiss
import numpy as np
import torch
from encode import hardware

from crosslingual.alignment.neighbours import exact as module
from crosslingual.alignment.neighbours.exact import native_bfloat16, neighbours
from crosslingual.alignment.neighbours.nearest import Neighbours
from crosslingual.alignment.neighbours.product import VectorProduct
from crosslingual.alignment.neighbours.unit_vectors import unit_sides

SOME = 20_000
MANY = 50_000
RECALL = 0.99

Found = tuple[np.ndarray, np.ndarray]  # ids by row, ids by column


def make(folder: Path, n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Write both sides in parts and return them mapped."""
    paths = folder / f"x-{n}-{d}.npy", folder / f"y-{n}-{d}.npy"
    if not paths[0].exists():
        rng = np.random.default_rng(0)
        topics = rng.standard_normal((200, d), dtype=np.float32)
        x, y = (np.lib.format.open_memmap(path, "w+", np.float32, (n, d)) for path in paths)
        for start in range(0, n, 10_000):
            rows = slice(start, min(start + 10_000, n))
            count = rows.stop - start
            x[rows] = topics[rng.integers(0, 200, count)] + rng.standard_normal(
                (count, d), dtype=np.float32
            )
            y[rows] = topics[rng.integers(0, 200, count)] + rng.standard_normal(
                (count, d), dtype=np.float32
            )
            third = slice(start, start + count // 3)
            y[third] = x[third] + 0.7 * rng.standard_normal((count // 3, d), dtype=np.float32)
        x.flush()
        y.flush()
    return tuple(np.load(path, mmap_mode="r") for path in paths)


def unit(x: np.ndarray) -> np.ndarray:
    copied = np.array(x)
    faiss.normalize_L2(copied)
    return copied


def flat(x: np.ndarray, y: np.ndarray, k: int) -> tuple[float, Found]:
    """Two exact searches, as peers do; returns seconds for all queries and the ids of some."""
    began = time.perf_counter()
    sides = unit(x), unit(y)
    ids, scaled = [], time.perf_counter() - began
    for queries, base in (sides, sides[::-1]):
        index = faiss.IndexFlatIP(base.shape[1])
        index.add(base)
        some = queries[:SOME] if len(queries) > MANY else queries
        began = time.perf_counter()
        ids.append(index.search(some, k)[1])
        scaled += (time.perf_counter() - began) * len(queries) / len(some)
    return scaled, (ids[0], ids[1])


def ivf(x: np.ndarray, y: np.ndarray, k: int, exact: Neighbours) -> tuple[float, Found]:
    """Two approximate searches with the least nprobe (a power of two) of recall .99."""
    began = time.perf_counter()
    sides = unit(x), unit(y)
    ids, seconds = [], time.perf_counter() - began
    for queries, base, truth in (
        (*sides, exact.rows.ids),
        (*sides[::-1], exact.columns.ids),
    ):
        began = time.perf_counter()
        lists = int(4 * len(base) ** 0.5)
        index = faiss.index_factory(base.shape[1], f"IVF{lists},Flat", faiss.METRIC_INNER_PRODUCT)
        index.train(base)
        index.add(base)
        seconds += time.perf_counter() - began
        sample = np.random.default_rng(0).choice(len(queries), min(1000, len(queries)), replace=False)
        index.nprobe = 1
        while index.nprobe < lists:
            found = index.search(queries[sample], k)[1]
            if (
                np.mean([np.isin(a, b).mean() for a, b in zip(truth[sample], found, strict=True)])
                >= RECALL
            ):
                break
            index.nprobe *= 2
        began = time.perf_counter()
        ids.append(index.search(queries, k)[1])
        seconds += time.perf_counter() - began
    return seconds, (ids[0], ids[1])


def bare(x: np.ndarray, y: np.ndarray, dtype: str) -> float:
    """The limit: the blocks of the product and nothing else (rounded before)."""
    made = VectorProduct(*unit_sides(x, y), dtype=dtype)
    height, width = module.BLOCK["cpu"]
    room = torch.empty(height, width, dtype=made.dtype)
    some = min(len(x), MANY)
    began = time.perf_counter()
    for i, j in product(range(0, some, height), range(0, len(y), width)):
        rows, columns = slice(i, min(i + height, some)), slice(j, min(j + width, len(y)))
        made.block(rows, columns, room[: rows.stop - i, : columns.stop - j])
    return (time.perf_counter() - began) * len(x) / some


@contextmanager
def peak_memory() -> Iterator[list[float]]:
    """Give a list whose only number is the greatest anonymous memory of the block, in MB."""

    def anonymous() -> float:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("RssAnon"):
                return int(line.split()[1]) / 1024
        return float("nan")

    before, peak, done = anonymous(), [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.05):
            peak[0] = max(peak[0], anonymous() - before)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield peak
    finally:
        done.set()
        watching.join()


def report(
    name: str,
    ours: Callable[[], Neighbours],
    peer: Callable[[Neighbours | None], tuple[float, Found]],
    limit: float | None,
    rounds: int,
) -> None:
    times, same, memory = [], [], []
    exact = ours() if name.startswith("mining/ivf") else None  # which IVF's effort is tuned to
    for _ in range(rounds):
        peer_s, theirs = peer(exact)
        began = time.perf_counter()
        with peak_memory() as peak:
            found = ours()
        times.append((time.perf_counter() - began, peer_s))
        memory.append(peak[0])
        mine = found.rows.ids[: len(theirs[0])], found.columns.ids[: len(theirs[1])]
        same = [float((a == b).mean()) for a, b in zip(mine, theirs, strict=True)]
    ratios = [peer_s / ours_s for ours_s, peer_s in times]
    ours_s = statistics.median(t for t, _ in times)
    line = {
        "name": name,
        "ours_s": round(ours_s, 2),
        "peer_s": round(statistics.median(t for _, t in times), 2),
        "ratio": round(statistics.median(ratios), 3),
        "low": round(min(ratios), 3),
        "high": round(max(ratios), 3),
        "agreement": {"same_ids": min(same)},
        "limit": None if limit is None else round(ours_s / limit, 3),
        "peak_mb": round(max(memory)),
        "cores": os.cpu_count(),
        "hardware": hardware(),
    }
    print(json.dumps(line), flush=True)


def plot(lines: Path, figure: Path) -> None:
    """Draw seconds against vectors a side, ours and the peers', on logarithmic axes."""
    import matplotlib.pyplot as plt

    points: dict[str, list[tuple[int, float]]] = {}
    labels = {
        "bfloat16": ("ours, bfloat16", "two IndexFlatIP"),
        "float32": ("ours, float32", ""),
        "ivf": ("", "two IndexIVFFlat, recall ≥ .99"),
    }
    for line in filter(None, lines.read_text().splitlines()):
        found = json.loads(line)
        if "ours_s" not in found:
            continue
        kind, size = found["name"].split("/")[1:]
        n = int(size.split("-")[0])
        for label, seconds in zip(labels[kind], (found["ours_s"], found["peer_s"]), strict=True):
            if label and seconds is not None:
                points.setdefault(label, []).append((n, seconds))
    drawn, axes = plt.subplots(figsize=(5, 3.6), layout="constrained")
    for (label, values), marker in zip(points.items(), "os^Dv", strict=False):
        axes.loglog(*zip(*sorted(values), strict=True), marker=marker, label=label)
    axes.set(xlabel="vectors a side", ylabel="seconds")
    d, k = size.split("-")[1:]
    axes.set_title(f"neighbours in both directions, d = {d}, k = {k}")
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    drawn.savefig(figure, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", default="10000,50000")
    parser.add_argument("--dims", default="384,768")
    parser.add_argument("--ks", default="4")
    parser.add_argument("--only", default="")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--plot", type=Path, nargs=2, metavar=("LINES", "FIGURE"))
    parser.add_argument("--folder", type=Path, help="where the vectors lie  [default: a temporary one]")
    options = parser.parse_args()
    if options.plot:
        plot(*options.plot)
        return
    grid = product(*(map(int, text.split(",")) for text in (options.sizes, options.dims, options.ks)))
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for n, d, k in grid:
            for kind in ("bfloat16", "float32", "ivf"):
                name = f"mining/{kind}/{n}-{d}-{k}"
                if options.only not in name:
                    continue
                if kind == "bfloat16" and not native_bfloat16(["cpu"]):
                    print(json.dumps({"name": name, "skipped": "no native bfloat16"}), flush=True)
                    continue
                x, y = make(folder, n, d)
                dtype = "auto" if kind == "ivf" else kind
                report(
                    name,
                    lambda x=x, y=y, k=k, dtype=dtype: neighbours(x, y, k, dtype=dtype, devices=["cpu"]),
                    (lambda exact, x=x, y=y, k=k: ivf(x, y, k, exact))
                    if kind == "ivf"
                    else (lambda exact, x=x, y=y, k=k: flat(x, y, k)),
                    None if kind == "ivf" else bare(x, y, kind),
                    options.rounds,
                )


if __name__ == "__main__":
    main()
