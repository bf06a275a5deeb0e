"""Our forward clock against optimum-benchmark's, on fixed shapes, in turns.

optimum-benchmark 0.6 needs transformers 4: give it an interpreter of its own,

    python -m venv other
    other/bin/pip install optimum-benchmark 'transformers<5' 'datasets<4.5'
    python benchmarks/clocks.py CHECKPOINT --python other/bin/python
"""

import argparse
import json
import os
import statistics
import subprocess

import crosslingual

THEIRS = """
import json, sys
from optimum_benchmark import Benchmark, BenchmarkConfig, InferenceConfig, InlineConfig, PyTorchConfig
folder, rows, length, seconds = sys.argv[1], *map(int, sys.argv[2:])
shapes = {"batch_size": rows, "sequence_length": length}
scenario = InferenceConfig(latency=True, warmup_runs=10, duration=seconds, input_shapes=shapes)
backend = PyTorchConfig(
    model=folder, device="cpu", task="feature-extraction", library="transformers", no_weights=False
)
launcher = InlineConfig(device_isolation=False)
found = Benchmark.launch(BenchmarkConfig("x", launcher=launcher, scenario=scenario, backend=backend))
print(json.dumps(found.forward.latency.p50))
"""


def main() -> None:
    """Print both medians, shape by shape and turn by turn, and the median of their ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("--python", required=True, help="that has optimum-benchmark")
    parser.add_argument("--lengths", default="16,64")
    parser.add_argument("--batch-tokens", type=int, default=512)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    args = parser.parse_args()
    folder = str(crosslingual.open_checkpoint(args.checkpoint).parts.transformer)
    for length in map(int, args.lengths.split(",")):
        rows, ratios = args.batch_tokens // length, []
        for _ in range(args.turns):
            line = [args.python, "-c", THEIRS, folder, str(rows), str(length), str(args.seconds)]
            environment = os.environ | {"HF_HUB_OFFLINE": "1"}
            done = subprocess.run(line, capture_output=True, text=True, check=True, env=environment)
            theirs = json.loads(done.stdout.splitlines()[-1])
            found = crosslingual.efficiency(
                folder, scenario="shapes", lengths=str(length), batch_tokens=args.batch_tokens,
                seconds=float(args.seconds),
            )  # fmt: skip
            samples = found.samples
            ours = samples.loc[samples["subject"] == folder, "forward"].median()
            ratios.append(ours / theirs)
            print(f"{rows} x {length}: ours {ours * 1e3:.3f} ms, theirs {theirs * 1e3:.3f} ms")
        print(f"{rows} x {length}: ours / theirs {statistics.median(ratios):.3f}")


if __name__ == "__main__":
    main()
