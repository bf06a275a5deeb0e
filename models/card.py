"""The card of an encoder: what it is made of, what it does by layer and language, what it is not for."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from .curves import OTHER_SCRIPTS, by_layer, chosen_layer
from .family import MADE
from .recipe import DEV, LANGUAGES, LICENCE, LONGEST, REPORTED, TRAIN, Portion, Variant

WEIGHTS = "model.safetensors"
_CARD = """---
license: cc-by-sa-4.0
language: [{languages}]
library_name: transformers
tags: [sentence-similarity, cross-lingual]
---

# {name}

An encoder of XLM-R's shape for {count} languages ({languages}): {layers} layers, width {width},
{heads} heads, {body:,} parameters without the token vectors. It comes with `crosslingual`, to try it
offline, for tests and lessons: `crosslingual score {name}` finds it in the package, and
`AutoModel.from_pretrained` reads the folder. Text is lower-cased. Weights are float16. Inputs of up to
{longest_input} tokens; no more than {trained_input} were trained on.

**Alignment was trained in explicitly**, by a contrastive loss between translations. XLM-R and mBERT
were not trained like that: what is found on this model does not carry over to them.

## Training

Text: {train}. Nothing else: no Tatoeba, no FLORES devtest, no task data.

1. Vocabulary: {pieces:,} unigram pieces of all of the text, the same for every size.
2. Token vectors: truncated SVD of the sentence × token matrix of the concatenated translations, then
   {vector_steps:,} steps of a contrastive loss between means of token vectors.
3. Encoder: every layer begins as the mean of its token vectors; then {steps:,} steps of {batch} pairs
   of translations: masked words, masked words of a sentence together with its translation
   ({translation:.0%} of the steps), and a contrastive loss between translations at layer {middle}.

All sizes share text, masks, batches and schedule. The learning rate of the body is {rate:.1e}: inverse
to the width. Nothing was stopped early. Cost: {vector_seconds:,} s for the token vectors and
{encoder_seconds:,} s for the encoder ({machine}). The recipe is `models/recipe.py`;
`python -m crosslingual.models DATA` makes the family once more.

## Results

Retrieval accuracy, mean of both directions and of languages. DEV: {dev}. Nothing was
trained on Tatoeba and no layer was chosen by it; its figures were seen while the recipe was developed.
“Other scripts” are Tatoeba's {others}. The layer that is best on DEV: {layer}.

{by_layer}

What aligns is in the token vectors: the middle layers keep it and did not become better than it, the
last ones lose some of it to the prediction of words. Tried without gain on DEV: higher rates of encoder
and vocabulary (they destroy it), a plain LayerNorm over the token vectors (their lengths are lost),
text that is not lower-cased, dropping half of the pieces, all-MiniLM-L6-v2 as a teacher of the English
side. A vocabulary of 32,000 pieces would gain .01 and does not fit into the package.

Tatoeba by language at layer {layer}. The surface floor is what character n-grams find:

{by_language}

All encoders that the recipe makes, each at the layer that is best on DEV. `-mono` is the negative
control: the same text with nothing that says what translates what, no contrastive loss.

{all_encoders}

Rounding the weights to float16 changed no Tatoeba score by more than {rounding:.4f}.
sha256 of `{weights}`: `{sha256}`.

## Licence

{licence}, as the text that it was trained on: see `LICENSE` in the folder above.
"""


def make_card(variant: Variant, curves: pd.DataFrame, made_in: Path, folder: Path) -> str:
    """Return the card of an encoder.

    Args:
        variant: which.
        curves: of all encoders of the family: see `curves.measure`, with columns model and dtype.
        made_in: where all encoders were made.
        folder: of the one that is shipped.
    """
    made = json.loads((made_in / variant.name / MADE).read_text("utf-8"))
    sha256 = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
    size, settings = variant.size, made["settings"]
    own = _of(curves, variant.name, "float16")
    layer = chosen_layer(own)
    return _CARD.format(
        **settings, name=variant.name, languages=", ".join(LANGUAGES), count=len(LANGUAGES),
        layers=size.layers, width=size.width, heads=size.heads, middle=size.middle,
        body=made["body"], pieces=made["pieces"], rate=size.rate, train=_listed(TRAIN),
        vector_seconds=made["seconds"]["vectors"], encoder_seconds=made["seconds"]["encoder"],
        machine=made["machine"], dev=_listed(DEV), others=", ".join(OTHER_SCRIPTS), layer=layer,
        by_layer=_by_layer(own), by_language=_by_language(own, layer), all_encoders=_all(curves),
        rounding=_rounding(curves, variant), licence=LICENCE, longest_input=LONGEST,
        trained_input=2 * settings["longest"], sha256=sha256, weights=WEIGHTS,
    )  # fmt: skip


def _of(curves: pd.DataFrame, name: str, dtype: str) -> pd.DataFrame:
    return curves[(curves["model"] == name) & (curves["dtype"] == dtype)]


def _listed(portions: Sequence[Portion]) -> str:
    return ", ".join(f"{one.corpus} {one.unit}s {one.first}–{one.last}" for one in portions)


def _by_layer(own: pd.DataFrame) -> str:
    means = by_layer(own)
    rows = [
        f"| {layer} | {row['dev']:.3f} | {row[REPORTED]:.3f} | {row['other scripts']:.3f} |"
        for layer, row in means.iterrows()
    ]
    return "\n".join(["| layer | DEV | Tatoeba | other scripts |", "| --- | --- | --- | --- |", *rows])


def _by_language(own: pd.DataFrame, layer: int) -> str:
    rows = own[(own["corpus"] == REPORTED) & (own["layer"] == layer)]
    lines = [
        f"| {row.language} | {row.n} | {row.accuracy:.3f} | {row.low:.3f}–{row.high:.3f} "
        f"| {row.surface:.3f} |"
        for row in rows.itertuples()
    ]
    head = ["| language | n | accuracy | interval | surface floor |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*head, *lines])


def _all(curves: pd.DataFrame) -> str:
    lines = ["| encoder | layer | DEV | Tatoeba | other scripts |", "| --- | --- | --- | --- | --- |"]
    for name in dict.fromkeys(curves["model"]):
        own = _of(curves, name, "float32")
        layer = chosen_layer(own)
        row = by_layer(own).loc[layer]
        lines.append(
            f"| {name} | {layer} | {row['dev']:.3f} | {row[REPORTED]:.3f} | {row['other scripts']:.3f} |"
        )
    return "\n".join(lines)


def _rounding(curves: pd.DataFrame, variant: Variant) -> float:
    keys = ["corpus", "language", "layer"]
    half, full = (
        _of(curves, variant.name, dtype).set_index(keys)["accuracy"] for dtype in ("float16", "float32")
    )
    apart = (half - full).abs()
    return float(apart[apart.index.get_level_values("corpus") == REPORTED].max())
