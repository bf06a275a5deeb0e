"""Peak memory of `score` as the corpus grows: given vectors, one layer, a process of its own each.

    memory/<measures>/<n>   MB beyond importing the library; `seconds` beside

No model is loaded: what is measured is the scoring. Vectors are float32, d wide, in documents of ten
sentences with `--documents`.

    python benchmarks/memory.py [--sizes 10000,30000,100000] [--measures retrieval] [--width 384]
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from encode import hardware

WORDS = ("ab", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu")


def text(number: int, tag: str) -> str:
    """A sentence of made-up words, another one for every number."""
    return f"{tag} " + " ".join(WORDS[int(digit)] for digit in f"{number:06d}")


def made(folder: Path, n: int, width: int, *, documents: bool) -> list[str]:
    """Write vectors and texts of two languages; return the arguments of `score`."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, width), dtype=np.float32)
    for tag in ("de", "en"):
        y = x + 1.2 * rng.standard_normal((n, width), dtype=np.float32)
        np.save(folder / f"{tag}.npy", y[None])
        numbers = range(1, n + 1)
        (folder / f"{tag}.ids").write_text("\n".join(map(str, numbers)) + "\n")
        (folder / f"{tag}.txt").write_text("\n".join(text(i, tag) for i in numbers) + "\n")
    found = ["score", f"vectors:{folder}", "--corpus", "files", "--out", str(folder / "run")]
    found += [f"--{side}={tag}={folder / tag}.txt" for side, tag in (("source", "de"), ("target", "en"))]
    if documents:
        (folder / "groups").write_text("\n".join(str(i // 10) for i in range(n)) + "\n")
        found += ["--group-file", str(folder / "groups")]
    return found


def child(arguments: list[str]) -> None:
    """Run a command of the command line; print the peak before and after, and its seconds."""
    import pandas  # noqa: F401
    import scipy.stats  # noqa: F401
    import torch  # noqa: F401
    import transformers  # noqa: F401

    from crosslingual.cli import main

    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    if main(arguments):
        raise SystemExit("the command failed")
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = time.perf_counter() - start
    print(
        json.dumps({"mb": round((after - before) / 1024), "seconds": round(seconds, 1)}), file=sys.stderr
    )


def main() -> None:
    """Measure all sizes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", default="10000,30000,100000")
    parser.add_argument("--measures", default="retrieval")
    parser.add_argument("--width", type=int, default=384)
    parser.add_argument("--documents", action="store_true")
    parser.add_argument("--child", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if options.child:
        child(options.child)
        return
    for n in map(int, options.sizes.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            arguments = made(Path(folder), n, options.width, documents=options.documents)
            arguments += ["--measures", options.measures]
            done = subprocess.run(
                [sys.executable, __file__, "--child", *arguments], capture_output=True, text=True
            )
            if done.returncode:
                raise SystemExit(done.stderr[-2000:])
            found = json.loads(done.stderr.splitlines()[-1])
            name = f"memory/{options.measures}/{n}"
            print(json.dumps({"name": name, **found, "cores": os.cpu_count(), "hardware": hardware()}))


if __name__ == "__main__":
    main()
