"""Linear probes of many layers against scikit-learn, layer by layer, and a peer's loop of Adam.

Vectors with a spectrum like sentence representations' (standard deviations falling as i^-0.8, turned at
random), 17 classes that a shift of their mean tells; standardised. One λ = 1 / (n C), C = 1. `controls`:
label sets dealt anew, against one more scikit-learn fit per layer. `languages`: what reading and testing
50 languages of 1,000 sentences adds to a layer's time, with its share of looking them up in the store,
once a run. In turn, all on the same threads.

    python benchmarks/probes.py [--layers 13] [--n 4000] [--dim 768] [--classes 17] [--rounds 3]
"""

import argparse
import json
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from encode import hardware
from sklearn.linear_model import LogisticRegression

from crosslingual.alignment.representations.store import Store, key
from crosslingual.alignment.representations.stored import Stored
from crosslingual.data import Sentence, Side
from crosslingual.probes.classifiers.linear import fit
from crosslingual.probes.classifiers.scaler import Scaler
from crosslingual.probes.control import make_controls
from crosslingual.probes.material import DEV, TEST, TRAIN, Labelled, Material
from crosslingual.probes.rows import rows_of
from crosslingual.probes.setup import Setup
from crosslingual.probes.vectors import read_layer

CONTROLS = 20
LANGUAGES, TESTS = 50, 1000


def layers(given: argparse.Namespace) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield standardised vectors and labels; the later a layer, the more it tells."""
    rng = np.random.default_rng(0)
    d, k = given.dim, given.classes
    labels = rng.integers(k, size=given.n)
    for layer in range(given.layers):
        spread = np.arange(1, d + 1.0) ** -0.8
        means = rng.standard_normal((k, d)) * 0.2 * layer / given.layers
        x = (rng.standard_normal((given.n, d)) + means[labels]) * spread
        x = x @ np.linalg.qr(rng.standard_normal((d, d)))[0]
        yield Scaler.of(x)(x), labels


def ours(z: np.ndarray, sets: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    found = fit(z, sets, np.array([1 / len(z)]), classes=classes)
    return found.weights[0, 0], found.biases[0, 0]


def sklearn(z: np.ndarray, sets: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    found = LogisticRegression(C=1.0, max_iter=2000).fit(z, sets[0])
    return found.coef_.T, found.intercept_


def adam(z: np.ndarray, sets: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Ten epochs in batches of 64, rate 1e-3, as structural-probes and control-tasks train."""
    torch.manual_seed(0)
    head = torch.nn.Linear(z.shape[1], classes)
    optimizer = torch.optim.Adam(head.parameters(), lr=1e-3)
    x, y = torch.from_numpy(z), torch.from_numpy(sets[0])
    for _ in range(10):
        for rows in torch.randperm(len(x)).split(64):
            loss = torch.nn.functional.cross_entropy(head(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return head.weight.detach().numpy().T, head.bias.detach().numpy()


Solver = Callable[[np.ndarray, np.ndarray, int], tuple[np.ndarray, np.ndarray]]


def judged(z: np.ndarray, y: np.ndarray, weights: np.ndarray, bias: np.ndarray) -> tuple[float, float]:
    """Return the penalised objective and the accuracy."""
    logits = z.astype(np.float64) @ weights + bias
    own = logits[np.arange(len(y)), y] - np.logaddexp.reduce(logits, axis=1)
    return float(-own.mean() + np.square(weights).sum() / (2 * len(y))), float(
        (logits.argmax(1) == y).mean()
    )


def labelled(language: str, part: str, y: np.ndarray) -> Labelled:
    texts = (Sentence(f"{part} {i}", f"{language} {part} {i}") for i in range(len(y)))
    groups = tuple(f"{part} {i}" for i in range(len(y)))
    return Labelled(Side(language, language, tuple(texts)), None, y, groups)


def scored_languages(given: argparse.Namespace, folder: Path) -> Iterator[tuple[float, float]]:
    """Yield the seconds of a layer fitted and read in one language, and in all, from a store."""
    rng = np.random.default_rng(2)
    means = rng.standard_normal((given.classes, given.dim)) * 0.15
    spread = np.arange(1, given.dim + 1.0) ** -0.8
    test = rng.integers(given.classes, size=TESTS)
    parts = {
        ("en", part): labelled("en", part, rng.integers(given.classes, size=size))
        for part, size in ((TRAIN, given.n), (DEV, 500))
    } | {(f"x{i}", TEST): labelled(f"x{i}", TEST, test) for i in range(LANGUAGES)}
    store = Store(folder / "space")
    for number, part in enumerate(parts.values()):
        x = (rng.standard_normal((len(part), given.dim)) + means[part.labels]) * spread
        keys = [key(text) for text in part.first.texts]
        counts = np.zeros((len(part), 3), np.int32)
        store.write(number, keys, counts, [0], x[None].astype(np.float32))
    whole = Material("planted", tuple(map(str, range(given.classes))), parts)
    one = whole.only(["en"], ["x0"])
    setups = [_setup(material) for material in (one, whole)]
    for turn in range(given.rounds + 1):
        stored = Stored(Store(folder / "space"), "", 0, (0,))
        spent = []
        for material, setup in zip((one, whole), setups, strict=True):
            began = time.perf_counter()
            for part in material.parts.values():
                stored.counts(part.first)  # as a run does before its first layer
            looked_up = time.perf_counter() - began
            began = time.perf_counter()
            vectors = read_layer(material, stored, 0, "en")
            rows_of(material, vectors, setup, {"layer": 0})
            spent.append(time.perf_counter() - began + looked_up / given.layers)
        if turn:  # the first one warms up: checksums are verified once a process
            yield spent[0], spent[1]


def _setup(material: Material) -> Setup:
    """Return what the layers share; floors are not what is timed."""
    tests, rows = material.languages, np.arange(TESTS)
    return Setup(
        "en", ["en"], [], "linear", make_controls(material, ["en"]), dict.fromkeys(tests, 0.1),
        dict.fromkeys(tests, np.zeros(TESTS)), dict.fromkeys(tests, rows), dict.fromkeys(tests, rows),
        codelength=False, seed=0,
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("layers", 13), ("n", 4000), ("dim", 768), ("classes", 17), ("rounds", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    k = given.classes
    seconds: dict[str, list[float]] = {}
    apart: dict[str, tuple[float, float]] = {}
    rng = np.random.default_rng(1)
    for _ in range(given.rounds):
        spent = dict.fromkeys(("ours", "sklearn", "adam", "controls"), 0.0)
        for z, y in layers(given):
            sets = np.stack([rng.permutation(y) for _ in range(CONTROLS)])
            found = {}
            for name, solver, asked in (
                ("ours", ours, y[None]), ("sklearn", sklearn, y[None]), ("adam", adam, y[None]),
                ("controls", ours, sets),
            ):  # fmt: skip
                began = time.perf_counter()
                found[name] = judged(z, y, *solver(z, asked, k))
                spent[name] += time.perf_counter() - began
            for peer in ("sklearn", "adam"):
                loss = found["ours"][0] / found[peer][0] - 1
                accuracy = abs(found["ours"][1] - found[peer][1])
                most = apart.get(peer, (-np.inf, 0.0))
                apart[peer] = max(most[0], loss), max(most[1], accuracy)
        for name, time_spent in spent.items():
            seconds.setdefault(name, []).append(time_spent)
    with TemporaryDirectory() as folder:
        both = list(scored_languages(given, Path(folder)))
    shares = [whole / one - 1 for one, whole in both]
    print(
        json.dumps(
            {
                "name": "probes/languages",
                "fit_s": round(statistics.median(one for one, _ in both), 2),
                "share_added": round(statistics.median(shares), 3),
                "low": round(min(shares), 3),
                "high": round(max(shares), 3),
                "cores": torch.get_num_threads(),
                "hardware": hardware(),
            }
        )
    )
    for name, mine, peer in (
        ("probes/sklearn", "ours", "sklearn"),
        ("probes/adam", "ours", "adam"),
        ("probes/controls", "controls", "sklearn"),
    ):
        ratios = [b / a for a, b in zip(seconds[mine], seconds[peer], strict=True)]
        print(
            json.dumps(
                {
                    "name": name,
                    "ours_s": round(statistics.median(seconds[mine]), 2),
                    "peer_s": round(statistics.median(seconds[peer]), 2),
                    "ratio": round(statistics.median(ratios), 2),
                    "low": round(min(ratios), 2),
                    "high": round(max(ratios), 2),
                    # how much greater our objective is at most, relatively; accuracies' difference
                    "agreement": [float(f"{value:.3g}") for value in apart.get(peer, ())]
                    if mine == "ours"
                    else None,
                    "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                    "cores": torch.get_num_threads(),
                    "hardware": hardware(),
                }
            )
        )


if __name__ == "__main__":
    main()
