"""Makes encoders of the family, each in a process of its own with one thread.

From one vocabulary the same bits on a machine, however many are made at once. The vocabulary itself
differs in the last digits of its scores from run to run, as its library adds them up in threads.
"""

import json
import logging
import platform
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedTokenizerFast, XLMRobertaForMaskedLM

from .encoder import lengthen, make_encoder
from .pretraining import Losses, train_encoder
from .recipe import LONGEST, PIECES, TrainingSettings, Variant
from .text import Row, without_translations
from .vectors import Pieces, refine, svd_vectors
from .vocabulary import make_tokenizer

logger = logging.getLogger(__name__)
MADE = "made.json"  # how an encoder was made: variant, settings, losses, seconds, machine
EVERY = 20  # steps between two reports


@dataclass(frozen=True)
class Inputs:
    """What all encoders of the family share."""

    rows: Sequence[Row]
    tokenizer: PreTrainedTokenizerFast
    settings: TrainingSettings
    out: Path

    def folder(self, variant: Variant) -> Path:
        """Return the folder of an encoder."""
        return self.out / variant.name


def open_tokenizer(rows: Sequence[Row], folder: Path) -> PreTrainedTokenizerFast:
    """Return the family's tokenizer: from the folder if it is there, else made and written there."""
    if not (folder / "tokenizer_config.json").is_file():
        texts = [text for row in rows for text in row.texts.values()]
        make_tokenizer(texts, PIECES, LONGEST).save_pretrained(folder)
    return PreTrainedTokenizerFast.from_pretrained(folder)


def make_all(inputs: Inputs, variants: Iterable[Variant], processes: int) -> Iterator[Variant]:
    """Make encoders that are not there yet, and yield each when it is ready."""
    missing = [one for one in variants if not (inputs.folder(one) / MADE).is_file()]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        running = {pool.submit(make, inputs, variant): variant for variant in missing}
        for done in as_completed(running):
            done.result()
            yield running[done]


def make(inputs: Inputs, variant: Variant) -> None:
    """Make an encoder in float32 and write it to its folder, how it was made last."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")  # a process of its own
    torch.set_num_threads(1)
    began, lines = time.process_time(), list[Losses]()
    model = untrained(inputs, variant)
    vectors = time.process_time()

    def report(losses: Losses) -> None:
        if losses.step % EVERY == 0 or losses.step == inputs.settings.steps:
            lines.append(losses)
            logger.info(
                "%s step %d: prediction %.3f, contrast %.3f",
                *(variant.name, losses.step, losses.prediction, losses.contrast),
            )

    train_encoder(
        model, inputs.tokenizer, _rows(inputs, variant), variant.size, inputs.settings,
        seed=variant.seed, paired=variant.paired, report=report,
    )  # fmt: skip
    folder = inputs.folder(variant)
    save(lengthen(model, LONGEST), inputs.tokenizer, folder)
    made = {
        "variant": asdict(variant),
        "settings": asdict(inputs.settings),
        "pieces": len(inputs.tokenizer),
        "body": sum(p.numel() for p in model.roberta.encoder.parameters()),
        "seconds": {"vectors": round(vectors - began), "encoder": round(time.process_time() - vectors)},
        "machine": f"{processor()}, one thread, torch {torch.__version__}",
        "losses": [asdict(one) for one in lines],
    }
    (folder / MADE).write_text(json.dumps(made, indent=1) + "\n", "utf-8")


def untrained(inputs: Inputs, variant: Variant) -> XLMRobertaForMaskedLM:
    """Return an encoder whose token vectors are trained and nothing else of it."""
    pieces = Pieces.of(_rows(inputs, variant), inputs.tokenizer)
    vectors = svd_vectors(pieces.most_languages(), variant.size.width)
    if variant.paired:
        vectors = refine(vectors, pieces, inputs.settings, variant.seed)
    torch.manual_seed(variant.seed)
    model = make_encoder(variant.size, inputs.tokenizer, vectors, 2 * inputs.settings.longest)
    with torch.no_grad():  # what is predicted before anything is learnt: how frequent a piece is
        model.lm_head.bias.copy_(torch.from_numpy(pieces.log_shares()))
    return model


def save(model: XLMRobertaForMaskedLM, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Write a model and its tokenizer, whose JSON has no line per piece."""
    model.save_pretrained(folder)
    tokenizer.backend_tokenizer.no_truncation()  # what training cut at is no part of it
    tokenizer.save_pretrained(folder)
    (folder / "tokenizer.json").write_text(tokenizer.backend_tokenizer.to_str(pretty=False), "utf-8")
    (folder / "model.safetensors").chmod(0o644)  # it is written for its owner alone


def processor() -> str:
    """Return the processor's name as the system gives it."""
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text("utf-8").splitlines() if listing.is_file() else []
    named = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return named or platform.processor() or platform.machine()


def _rows(inputs: Inputs, variant: Variant) -> Sequence[Row]:
    if variant.paired:
        return inputs.rows
    return without_translations(inputs.rows, np.random.default_rng(variant.seed))
