"""Encoding all layers against sentence-transformers' single layer, a plain loop, and the limit.

Texts: every 14th distinct text of Tatoeba in file order, the first 12,000. Both sides run on one
thread in one process, in turn; times are CPU seconds, so that a busy machine does not decide. A line of
JSON per comparison; `ratio` = peer's time / ours, median of the pairs, `low` and `high` its extremes.

    python benchmarks/encode.py MODEL --data-dir DIR [--texts 12000] [--pairs 3] [--only NAME]
"""

import argparse
import json
import os
import platform
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "RAYON_NUM_THREADS": "1"}

import numpy as np
import torch

from crosslingual.alignment.checkpoints.opening import open_checkpoint
from crosslingual.alignment.encoding.encode import BATCH_TOKENS, batch_end, make_batch
from crosslingual.alignment.encoding.tokens import tokenize
from crosslingual.alignment.representations.stored import represent
from crosslingual.data import Sentence, Side
from crosslingual.data.text import read_sentences


def tatoeba_texts(folder: Path, count: int) -> list[str]:
    distinct: dict[str, None] = {}
    for path in sorted(folder.glob("tatoeba.*-eng.*")):
        distinct |= dict.fromkeys(read_sentences(path))
    return list(distinct)[::14][:count]


def ours(model: Path, texts: list[str], dtype: str) -> np.ndarray:
    """Everything `score` does before it scores: tokenise, load, forward, pool 7 layers, store."""
    side = Side("xx", "xx", tuple(Sentence(str(i), text) for i, text in enumerate(texts)))
    with tempfile.TemporaryDirectory() as root:
        found = represent(open_checkpoint(model, dtype=dtype), [side], root=Path(root))["mean"]
        return found.read(side, [found.last])[0]


def sentence_transformers(model: Path) -> Callable[[list[str]], np.ndarray]:
    from sentence_transformers import SentenceTransformer

    loaded = SentenceTransformer(str(model), device="cpu")
    return lambda texts: loaded.encode(texts, show_progress_bar=False)


def plain_loop(model: Path) -> Callable[[list[str]], np.ndarray]:
    """What one writes by hand: batches of 32 as they come, output_hidden_states, mean of each."""
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    loaded = AutoModel.from_pretrained(model).eval()

    def encode(texts: list[str]) -> np.ndarray:
        parts = []
        with torch.inference_mode():
            for start in range(0, len(texts), 32):
                batch = tokenizer(
                    texts[start : start + 32],
                    padding=True,
                    truncation=True,
                    max_length=256,
                    return_tensors="pt",
                )
                states = torch.stack(loaded(**batch, output_hidden_states=True).hidden_states)
                mask = batch["attention_mask"][None, :, :, None]
                parts.append(((states * mask).sum(2) / mask.sum(2)).numpy())
        return np.concatenate(parts, axis=1)[-1]

    return encode


def bare_forward(model: Path, texts: list[str]) -> Callable[[list[str]], None]:
    """The limit: the forward passes of the sorted batches and nothing else (tokens made before)."""
    checkpoint = open_checkpoint(model)
    loaded = checkpoint.load()
    tokens = tokenize(checkpoint.tokenizer, texts, checkpoint.max_length)
    order = np.argsort(-tokens.counts, kind="stable")

    def forward(texts: list[str]) -> None:
        start = 0
        with torch.inference_mode():
            while start < len(order):
                stop = batch_end(tokens.counts, order, start, BATCH_TOKENS["cpu"])
                batch = make_batch(tokens, order[start:stop], 0, torch.device("cpu"))
                mask = batch.attended.long() if batch.padded else None
                loaded(input_ids=batch.ids, attention_mask=mask)
                start = stop

    return forward


def cosine_distance(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Return the greatest difference of unit vectors, and the least cosine."""
    x, y = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (x, y))
    return float(np.abs(x - y).max()), float((x * y).sum(axis=1).min())


def cpu_seconds(function: Callable[[], object]) -> tuple[float, object]:
    began = time.process_time()
    result = function()
    return time.process_time() - began, result


def compare(
    name: str, mine: Callable[[], object], peer: Callable[[], object], pairs: int
) -> dict[str, object]:
    times = []
    for _ in range(pairs):
        (peer_s, theirs), (ours_s, vectors) = cpu_seconds(peer), cpu_seconds(mine)
        times.append((ours_s, peer_s))
    ratios = [peer_s / ours_s for ours_s, peer_s in times]
    agreement = None
    if theirs is not None:
        difference, cosine = cosine_distance(vectors, theirs)
        agreement = {"max_difference": difference, "least_cosine": cosine}
    return {
        "name": name,
        "ours_s": round(statistics.median(t for t, _ in times), 2),
        "peer_s": round(statistics.median(t for _, t in times), 2),
        "ratio": round(statistics.median(ratios), 3),
        "low": round(min(ratios), 3),
        "high": round(max(ratios), 3),
        "agreement": agreement,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "cores": 1,
        "hardware": hardware(),
    }


def hardware() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor()}, {torch.backends.cpu.get_cpu_capability()}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--texts", type=int, default=12_000)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    torch.set_num_threads(1)
    folder = options.data_dir / "tatoeba"
    texts = tatoeba_texts(folder if folder.is_dir() else options.data_dir, options.texts)
    model = options.model
    with tempfile.TemporaryDirectory() as home:
        os.environ["CROSSLINGUAL_HOME"] = home
        ours(model, texts[:64], "float32")  # loads, warms up, and remembers the fingerprint
        for name, dtype, make in (
            ("encode/float32", "float32", sentence_transformers),
            ("encode/bfloat16", "bfloat16", sentence_transformers),
            ("encode/plain-loop", "float32", plain_loop),
            ("encode/limit", "float32", lambda folder: bare_forward(folder, texts)),
        ):
            if options.only not in name:
                continue
            if dtype == "bfloat16" and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
                skipped = {"name": name, "skipped": "no native bfloat16", "hardware": hardware()}
                print(json.dumps(skipped), flush=True)
                continue
            peer = make(model)
            if name != "encode/limit":
                peer(texts[:64])
            result = compare(
                name,
                lambda dtype=dtype: ours(model, texts, dtype),
                lambda peer=peer: peer(texts),
                options.pairs,
            )
            print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
