"""What share of translations a subject retrieves, in any form: the other axis of what it costs."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from ...alignment.encoding.encode import Batching, encode_rows
from ...alignment.encoding.hidden_states import layer_states
from ...alignment.encoding.pooling import POOLINGS
from ...alignment.neighbours.exact import neighbours
from ...data import Bitext
from ...data.rows import Columns
from .subjects import TimedModel


def retrieval_accuracy(subject: TimedModel, bitexts: Sequence[Bitext]) -> Columns:
    """Return the mean accuracy over bitexts and both directions, at the layer where it is highest.

    The vectors are means over tokens; a text that is retrieved instead of an identical one is right.

    Args:
        subject: a checkpoint in a form; a compiled one is run as it was before.
        bitexts: of which every row is a pair.

    Returns:
        accuracy, layer (of all, the same for every bitext), pairs (of sentences).
    """
    eager = TimedModel(subject.checkpoint) if subject.form == "compile" else subject
    sides = {one for bitext in bitexts for one in (bitext.source, bitext.target)}
    vectors = _encoded(eager, {side: side.texts for side in sides})
    values = [_accuracies(vectors[one.source], vectors[one.target], one) for one in bitexts]
    by_layer = np.mean(values, axis=0)
    best = int(by_layer.argmax())
    return {
        "accuracy": float(by_layer[best]),
        "layer": best,
        "pairs": sum(len(one.source.texts) for one in bitexts),
    }


def _encoded(subject: TimedModel, texts: Mapping[object, Sequence[str]]) -> dict[object, np.ndarray]:
    """Return the vectors of texts at every layer (layers, n, dim)."""
    checkpoint, model = subject.opened, subject.load()
    device = next(model.parameters()).device
    layers = tuple(range(checkpoint.layers + 1))
    pools = {"mean": (POOLINGS["mean"], layers)}
    batching = Batching.of(device, checkpoint.tokenizer)
    found = {}
    with torch.inference_mode(), layer_states(model, checkpoint.layers) as run:
        for key, own in texts.items():
            tokens = subject.tokens(own)
            rows = np.argsort(-tokens.counts, kind="stable")
            vectors = encode_rows(run, tokens, rows, pools, batching)[0]["mean"]
            found[key] = np.empty_like(vectors)
            found[key][:, rows] = vectors
    return found


def _accuracies(source: np.ndarray, target: np.ndarray, bitext: Bitext) -> list[float]:
    """Return the accuracy at every layer, the mean of both directions."""
    texts = np.array(bitext.source.texts, object), np.array(bitext.target.texts, object)
    values = []
    for x, y in zip(source, target, strict=True):
        found = neighbours(x, y, 1)
        forward = texts[1][found.rows.ids[:, 0]] == texts[1]
        backward = texts[0][found.columns.ids[:, 0]] == texts[0]
        values.append(float(forward.mean() + backward.mean()) / 2)
    return values
