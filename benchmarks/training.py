"""Training against a bare loop over the same batches: what Trainer, heads and logs cost.

HellaSwag's form (16 examples × 4 endings), rows of `--data-dir`; one thread, CPU seconds, in turn. The
bare loop does forward, backward, clipping, AdamW and a schedule, and nothing else.

    python benchmarks/training.py MODEL --data-dir DIR [--steps 40] [--pairs 3]
"""

import argparse
import json
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "RAYON_NUM_THREADS": "1"}

import torch
from encode import hardware

from crosslingual.alignment.checkpoints.opening import open_checkpoint
from crosslingual.data.tasks import load_task
from crosslingual.training.mixture import TaskSchedule
from crosslingual.training.recipe import Phase, TaskPart
from crosslingual.training.tasks.features import Features, TaskFeatures, collate, make_features
from crosslingual.training.tasks.heads import HeadSpec, MultiHead
from crosslingual.training.trainer import Steps, train_phase

BATCH, RATE, SEED = 16, 1e-5, 0


def fresh(model: Path) -> MultiHead:
    return MultiHead(
        open_checkpoint(model, device="cpu").load(), {"choice": HeadSpec("choice")}, seed=SEED
    )


def ours(model: Path, features: Features, steps: int) -> None:
    phase = Phase("p", (TaskPart("hellaswag"),), steps=steps, batch=BATCH, rate=RATE)
    with tempfile.TemporaryDirectory() as folder:
        train_phase(
            fresh(model), [TaskFeatures("hellaswag", "choice", features)], phase,
            Steps(steps, [1.0], seed=SEED), Path(folder),
        )  # fmt: skip


def bare(model: Path, features: Features, steps: int) -> None:
    torch.manual_seed(SEED)
    schedule = TaskSchedule([features.lengths], [1.0], steps=steps, batch=BATCH, seed=SEED)
    network = fresh(model).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=0.01)
    rates = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, steps)
    for rows in schedule:
        batch = collate([features.rows[row] for _, row, _ in rows], "choice", 0)
        loss = network(**batch)["loss"]
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        rates.step()
        optimizer.zero_grad()
        float(loss)  # ours logs it


def cpu_seconds(train: Callable[..., object], *run: object) -> float:
    began = time.process_time()
    train(*run)
    return time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--pairs", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(1)
    (data,) = load_task("hellaswag", "dev", languages="en", data_dir=given.data_dir)
    tokenizer = open_checkpoint(given.model).tokenizer
    features = make_features(data.examples[:2000], tokenizer, 128)
    ours(given.model, features, 2)
    pairs = []
    for _ in range(given.pairs):
        run = (given.model, features, given.steps)
        pairs.append((cpu_seconds(ours, *run), cpu_seconds(bare, *run)))
    ratios = [theirs / mine for mine, theirs in pairs]
    print(
        json.dumps(
            {
                "name": "training/bare-loop",
                "ours_s": round(statistics.median(mine for mine, _ in pairs), 2),
                "peer_s": round(statistics.median(theirs for _, theirs in pairs), 2),
                "ratio": round(statistics.median(ratios), 3),
                "low": round(min(ratios), 3),
                "high": round(max(ratios), 3),
                "agreement": None,  # dropout draws differ
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                "cores": 1,
                "hardware": hardware(),
            }
        )
    )


if __name__ == "__main__":
    main()
