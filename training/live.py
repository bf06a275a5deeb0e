"""Alignment while a model is trained: a curve over layers for each language, every some steps.

The sentences are few and fixed, so that it costs little; what is kept at the end is for `retention` on a
whole corpus to say.
"""

import json
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float, Int64
from transformers import TrainerCallback

from ..alignment.encoding.encode import Batching, encode_rows
from ..alignment.encoding.hidden_states import layer_states
from ..alignment.encoding.pooling import POOLINGS
from ..alignment.encoding.tokens import Tokens, tokenize
from ..alignment.retrieval.one_to_one import accuracy
from ..alignment.retrieval.pairing import pair_vectors
from ..data import AnyBitext, Bitext, load
from ..data.groups import text_classes

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

SENTENCES = 200  # of each language pair
logger = logging.getLogger(__name__)

Curves = dict[str, list[float]]  # language pair -> accuracy at each layer


@dataclass(frozen=True, eq=False)
class LiveAlignment:
    """Fixed sentences, tokenised once, that an encoder in memory is scored on."""

    bitexts: Sequence[Bitext]
    tokens: Tokens
    rows: Sequence[tuple[Int64[np.ndarray, "n"], Int64[np.ndarray, "n"]]]  # of each pair's two sides
    tokenizer: "PreTrainedTokenizerBase"

    @staticmethod
    def of(
        tokenizer: "PreTrainedTokenizerBase",
        bitexts: Sequence[Bitext],
        *,
        sentences: int = SENTENCES,
        max_length: int = 128,
    ) -> "LiveAlignment":
        """Return the first sentences of some bitexts, tokenised.

        Args:
            tokenizer: of the model that is trained.
            bitexts: one-to-one, as `load` returns them.
            sentences: of each.
            max_length: in tokens.
        """
        short = [bitext.head(sentences) for bitext in bitexts]
        sides = [side.texts for bitext in short for side in (bitext.source, bitext.target)]
        number = {text: i for i, text in enumerate(dict.fromkeys(t for texts in sides for t in texts))}
        rows = [np.array([number[text] for text in texts]) for texts in sides]
        tokens = tokenize(tokenizer, list(number), max_length)
        pairs = list(zip(rows[::2], rows[1::2], strict=True))
        return LiveAlignment(short, tokens, pairs, tokenizer)

    def curves(self, encoder: torch.nn.Module) -> Curves:
        """Return the accuracy of both directions' mean at every layer, mean-pooled, for each pair.

        It is `score`'s accuracy on the same sentences. The encoder is left as it was.
        """
        vectors = self._vectors(encoder)
        found: Curves = {}
        for bitext, (source, target) in zip(self.bitexts, self.rows, strict=True):
            classes = text_classes(bitext.source.texts), text_classes(bitext.target.texts)
            pairing = partial(pair_vectors, classes=classes, groups=np.arange(len(bitext)))
            scored = [accuracy(pairing(layer[source], layer[target])) for layer in vectors]
            found[f"{bitext.source.language}-{bitext.target.language}"] = [
                float(outcomes[-1].sentences.mean()) for outcomes in scored
            ]
        return found

    def _vectors(self, encoder: torch.nn.Module) -> Float[np.ndarray, "layers n d"]:
        training = encoder.training
        encoder.eval()
        layers = int(encoder.config.get_text_config().num_hidden_layers)  # type: ignore[union-attr, operator]
        device = next(encoder.parameters()).device
        order = np.argsort(-self.tokens.counts, kind="stable")
        pools = {"mean": (POOLINGS["mean"], range(layers + 1))}
        batching = Batching.of(device, self.tokenizer)
        try:
            with torch.inference_mode(), layer_states(encoder, layers) as run:
                found, _ = encode_rows(run, self.tokens, order, pools, batching)
        finally:
            encoder.train(training)
        vectors = np.empty_like(found["mean"])
        vectors[:, order] = found["mean"]
        return vectors


class AlignmentCallback(TrainerCallback):  # type: ignore[misc]
    """For transformers' Trainer: alignment by layer and language every `every` steps.

        Trainer(model, arguments, callbacks=[AlignmentCallback(tokenizer)])

    Every line of `path` has step, seconds, and curves: language pair -> accuracy at each layer. With
    `stop_loss`, the training ends when the mean over languages at its best layer has fallen by more.
    """

    def __init__(
        self,
        tokenizer: "PreTrainedTokenizerBase",
        corpus: str | Sequence[AnyBitext] = "pocket",
        *,
        every: int = 500,
        sentences: int = SENTENCES,
        path: str | Path | None = None,
        stop_loss: float | None = None,
    ) -> None:
        """Read and tokenise the sentences.

        Args:
            tokenizer: of the model that is trained.
            corpus: what `load` reads, or bitexts.
            every: how many steps; the beginning and the end besides.
            sentences: of each language pair.
            path: gets a JSON line each time; lines of steps that are done again are dropped.
            stop_loss: the greatest loss, in accuracy, that is put up with.

        Raises:
            ValueError: an unknown corpus, gold that is not one-to-one, `every` or `stop_loss` below 0.
        """
        if every < 1 or not (stop_loss is None or stop_loss >= 0):
            raise ValueError(f"every must be at least 1 and stop_loss at least 0: {every}, {stop_loss}")
        self._live = LiveAlignment.of(tokenizer, _one_to_one(corpus), sentences=sentences)
        self._every, self._stop_loss = every, stop_loss
        self._path = None if path is None else Path(path)
        self.lines: list[dict[str, Any]] = []  # what was found

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Look before the first step, or go on after a resume."""
        if self._path is not None and self._path.is_file():
            lines = [json.loads(line) for line in self._path.read_text("utf-8").splitlines()]
            self.lines = [line for line in lines if line["step"] <= state.global_step]
            self._write("w", self.lines)
        if state.global_step == 0 or not self.lines:
            self._look(args, state, kwargs["model"])

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Look, where it is time; end the training where too much is lost."""
        if state.global_step % self._every == 0 or state.global_step == state.max_steps:
            self._look(args, state, kwargs["model"])
            lost = best_mean(self.lines[0]["curves"]) - best_mean(self.lines[-1]["curves"])
            if self._stop_loss is not None and lost > self._stop_loss:
                logger.warning(
                    "step %d: alignment has fallen by %.3f, more than %g; the training ends here",
                    state.global_step, lost, self._stop_loss,
                )  # fmt: skip
                control.should_training_stop = True

    def _look(self, args: Any, state: Any, model: Any) -> None:
        start = time.perf_counter()
        curves = self._live.curves(encoder_of(model))
        seconds = round(time.perf_counter() - start, 3)
        self.lines.append({"step": state.global_step, "seconds": seconds, "curves": curves})
        if self._path is not None and args.process_index == 0:
            self._write("a", self.lines[-1:])

    def _write(self, mode: str, lines: Sequence[dict[str, Any]]) -> None:
        assert self._path is not None
        with self._path.open(mode, encoding="utf-8") as stream:
            stream.writelines(json.dumps(line) + "\n" for line in lines)


def best_mean(curves: Curves) -> float:
    """Return the mean over languages at the layer where it is greatest."""
    return float(np.mean(list(curves.values()), axis=0).max())


def encoder_of(model: Any) -> torch.nn.Module:
    """Return the encoder of a model with heads, of transformers' or of ours; DDP is looked through."""
    model = getattr(model, "module", model)
    encoder: torch.nn.Module = model.encoder if hasattr(model, "heads") else model.base_model
    return encoder


def alignment_evaluator(
    corpus: str | Sequence[AnyBitext] = "pocket", *, sentences: int = SENTENCES
) -> Any:
    """Return an evaluator for sentence-transformers' trainer: the mean over languages, layer by layer.

    Its metrics are `alignment_layer_<i>` and `alignment_best`, the primary one.

        SentenceTransformerTrainer(model, arguments, train_dataset=…, evaluator=alignment_evaluator())

    Args:
        corpus: what `load` reads, or one-to-one bitexts.
        sentences: of each language pair.

    Raises:
        ValueError: see `AlignmentCallback`.
        ImportError: no sentence-transformers.
    """
    try:
        from sentence_transformers.sentence_transformer.evaluation import SentenceEvaluator
    except ImportError:  # before version 6
        from sentence_transformers.evaluation import SentenceEvaluator

    bitexts = _one_to_one(corpus)

    class AlignmentEvaluator(SentenceEvaluator):  # type: ignore[misc]
        primary_metric, greater_is_better, name = "alignment_best", True, "alignment"
        live: LiveAlignment | None = None

        def __call__(
            self, model: Any, output_path: str | None = None, epoch: int = -1, steps: int = -1
        ) -> dict[str, float]:
            if self.live is None:
                self.live = LiveAlignment.of(model.tokenizer, bitexts, sentences=sentences)
            curves = self.live.curves(model[0].auto_model)
            mean = np.mean(list(curves.values()), axis=0)
            return {f"alignment_layer_{i}": float(value) for i, value in enumerate(mean)} | {
                "alignment_best": float(mean.max())
            }

    return AlignmentEvaluator()


def _one_to_one(corpus: str | Sequence[AnyBitext]) -> list[Bitext]:
    bitexts = load(corpus) if isinstance(corpus, str) else corpus
    pairs = [bitext for bitext in bitexts if isinstance(bitext, Bitext)]
    if len(pairs) < len(bitexts) or not pairs:
        raise ValueError("alignment while training needs one-to-one bitexts")
    return pairs
