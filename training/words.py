"""What training did to pairs of words: trained, held-out and random ones, before and after."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Float32

from ..alignment.checkpoints.checkpoint import Checkpoint
from ..alignment.encoding.encode import Batching, encode_rows
from ..alignment.encoding.hidden_states import layer_states
from ..alignment.encoding.pooling import POOLINGS
from ..alignment.encoding.tokens import tokenize
from ..alignment.maps.table import choose_map
from ..alignment.neighbours.unit_vectors import unit_sides
from ..alignment.statistics.bootstrap import group_bootstrap
from ..data import GoldBitext, Side

POOLED = ("mean", "mean-but-first")  # the first token of a decoder makes any two words similar
MAPS = ("none", "centre")

WordScores = tuple[Float[np.ndarray, "p"], float]  # a value a pair, and that of random pairs
Vectors = Mapping[str, Mapping[Side, Float32[np.ndarray, "layers _ dim"]]]  # pooling -> side -> vectors


def word_vectors(encoder: Any, checkpoint: Checkpoint, sides: Sequence[Side]) -> Vectors:
    """Return the vectors of words at every layer, of an encoder in memory.

    Args:
        encoder: any weights of the checkpoint's architecture; left in the mode it is in.
        checkpoint: whose tokenizer and input length are taken.
        sides: words.
    """
    training = encoder.training
    encoder.eval()
    device, layers = next(encoder.parameters()).device, range(checkpoint.layers + 1)
    found: dict[str, dict[Side, np.ndarray]] = {name: {} for name in POOLED}
    with layer_states(encoder, checkpoint.layers) as run:
        for side in dict.fromkeys(sides):
            tokens = tokenize(checkpoint.tokenizer, side.texts, checkpoint.max_length)
            order = np.argsort(-tokens.counts, kind="stable")
            values, _ = encode_rows(
                run,
                tokens,
                order,
                {name: (POOLINGS[name], layers) for name in POOLED},
                Batching.of(device, checkpoint.tokenizer),
            )
            for name, array in values.items():
                found[name][side] = array[:, np.argsort(order)]
    encoder.train(training)
    return found


def compare_words(
    before: Vectors, after: Vectors, trained: GoldBitext, held_out: GoldBitext, *, seed: int
) -> pd.DataFrame:
    """Return a row per kind of pair, pooling, map, layer and measure: before, after, and the gain.

    `gain` = (after - after_random) - (before - before_random), with an interval over connected
    components of the lexicon, by bootstrap of the pairs' differences; `random` is what all pairs have
    that could be. The map `centre` is fitted on the trained words, also for the held-out ones.

    Args:
        before: of all words.
        after: likewise, after training.
        trained: pairs that were trained on.
        held_out: pairs of other words.
        seed: of the bootstrap.
    """
    rows = []
    layers = range(len(before[POOLED[0]][trained.source]))
    for pooling, name, layer in product(POOLED, MAPS, layers):
        for kind, pairs in (("trained", trained), ("held-out", held_out)):
            found = [
                _measured(vectors[pooling], layer, name, trained, pairs) for vectors in (before, after)
            ]
            rows += [
                {
                    "language": trained.source.language,
                    "pairs": kind,
                    "pooling": pooling,
                    "map": name,
                    "layer": layer,
                    "measure": measure,
                    "n": len(pairs),
                    **_gain(found[0][measure], found[1][measure], pairs, seed),
                }
                for measure in found[0]
            ]
    return pd.DataFrame(rows)


def _measured(
    vectors: Mapping[Side, np.ndarray], layer: int, name: str, trained: GoldBitext, pairs: GoldBitext
) -> dict[str, WordScores]:
    """Return of every pair its cosine, and whether the first word's nearest is right."""
    i, j = trained.pairs.T
    fitted = choose_map(name)(vectors[trained.source][layer][i], vectors[trained.target][layer][j])
    sides = fitted(vectors[pairs.source][layer], vectors[pairs.target][layer])
    x, y = (units[:] for units in unit_sides(*sides))
    i, j = pairs.pairs.T
    cosines = x @ y.T
    right = np.zeros(cosines.shape, bool)
    right[i, j] = True
    hits = right[i, cosines.argmax(axis=1)[i]].astype(np.float64)
    return {
        "cosine": (cosines[i, j], float(cosines.mean())),
        "accuracy": (hits, float(right.sum(axis=1)[i].mean() / len(y))),
    }


def _gain(before: WordScores, after: WordScores, pairs: GoldBitext, seed: int) -> dict[str, float]:
    change = after[0] - before[0]
    random = after[1] - before[1]
    groups = pairs.components[0][pairs.pairs[:, 0]]
    low, high = group_bootstrap(change[:, None], groups, seed=seed)
    return {
        "before": float(before[0].mean()),
        "before_random": before[1],
        "after": float(after[0].mean()),
        "after_random": after[1],
        "gain": float(change.mean()) - random,
        "gain_low": float(low[0]) - random,
        "gain_high": float(high[0]) - random,
    }
