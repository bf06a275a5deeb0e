"""Lexical injection: an early layer is taught to bring translations of words together.

Pairs of words are pooled at one layer and pulled together, other words of the batch pushed away; only
the blocks below that layer get a gradient. Its effect is reported separately for trained pairs, for
held-out pairs (no word of which was trained on), and for random pairs: a gain that random pairs share
is a shift of the whole space, not a word learnt. Source: Ngugi 2025, https://arxiv.org/abs/2506.15415
(LoRA, triplets).
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..alignment.checkpoints.checkpoint import Checkpoint
from ..alignment.encoding.hidden_states import states_at
from ..data import GoldBitext, load
from ..data.gold import read_lexicon
from ..data.rows import Columns
from ..data.splits import position
from .recipe import Injection, Phase
from .tasks.features import Features, TaskFeatures, inputs_of
from .tasks.heads import mean_state
from .words import compare_words, word_vectors

HEAD = "words"
TABLE = "words.parquet"


@dataclass(frozen=True)
class Lexicon:
    """Word pairs of a language and English: those trained on, and those of other words."""

    trained: GoldBitext
    held_out: GoldBitext

    @property
    def language(self) -> str:
        """The tag of the language."""
        return self.trained.source.language


def read_lexicons(injection: Injection, data_dir: Path | None, seed: int) -> list[Lexicon]:
    """Return the word pairs of every language, split by the English word, the same in all of them.

    Raises:
        ValueError: what `load` and `read_lexicon` refuse; a side that would be empty.
        OSError: no lexicon there.
    """
    if injection.file:
        path = Path(injection.file)
        whole: Sequence[Any] = [
            read_lexicon(path, source_language=injection.languages, target_language="en")
        ]
    else:
        whole = load(injection.corpus, data_dir=data_dir, languages=injection.languages)
    return [_split(lexicon, injection.hold_out, seed) for lexicon in whole]


def _split(lexicon: Any, share: float, seed: int) -> Lexicon:
    if not isinstance(lexicon, GoldBitext):
        raise ValueError(f"{lexicon.name} holds no word pairs; words does, or name a file")
    words, english = lexicon.source.texts, lexicon.target.texts
    held = [position(english[j], seed) < share for _, j in lexicon.gold]
    trained = [pair for pair, out in zip(lexicon.gold, held, strict=True) if not out]
    known = {words[i] for i, _ in trained}
    # a translation that is trained on with another English word is not held out either
    rest = [p for p, out in zip(lexicon.gold, held, strict=True) if out and words[p[0]] not in known]
    if not trained or not rest:
        raise ValueError(
            f"{lexicon.name}: a share of {share} held out leaves {len(trained)} and {len(rest)} pairs"
        )
    return Lexicon(lexicon.having(trained), lexicon.having(rest))


@dataclass(frozen=True, eq=False)
class WordObjective:
    """Word pairs at one layer."""

    phase: Phase
    injection: Injection
    lexicons: Sequence[Lexicon]
    before: Checkpoint
    seed: int
    _made: list[pd.DataFrame] = field(default_factory=list)  # the table, once it is made

    @property
    def groups(self) -> set[str]:
        """The English words."""
        return {f"word/{text}" for each in self.lexicons for text in each.trained.target.texts}

    @property
    def facts(self) -> Columns:
        """Which words, and how many pairs."""
        counts = {each.language: [len(each.trained), len(each.held_out)] for each in self.lexicons}
        return {"tasks": [], "injection": asdict(self.injection), "examples": counts, "licences": {}}

    def model(self, encoder: Any) -> "WordPairs":
        """Return the encoder up to the layer, and the loss."""
        return WordPairs(encoder, self.injection, self.before.layers)

    def features(self) -> list[TaskFeatures]:
        """Return the trained pairs; under `shuffled-labels` with the translations shuffled."""
        rng = np.random.default_rng([self.seed, 2])
        made = []
        for each in self.lexicons:
            pairs = each.trained.pairs
            if self.phase.control == "shuffled-labels":
                pairs = np.stack([pairs[:, 0], rng.permutation(pairs[:, 1])], axis=1)
            found = self._pairs(each.trained, pairs)
            made.append(TaskFeatures(f"words ({each.language})", HEAD, found))
        return made

    def judge(self, model: "WordPairs") -> Callable[[], float] | None:
        """Return nothing: the last step is kept."""
        return None

    def results(self, model: "WordPairs") -> Columns:
        """Return what became of trained, held-out and random pairs at the layer and at the last."""
        table = self._table(model)
        shown = table["layer"].isin([self.injection.layer, self.before.layers])
        plain = table["pooling"].eq("mean") & table["map"].eq("none")
        return {"words": table[shown & plain].to_dict("records")}

    def save(self, model: "WordPairs", folder: Path) -> None:
        """Write the whole table: every layer, pooling and map."""
        self._table(model).to_parquet(folder / TABLE, index=False)

    def _table(self, model: "WordPairs") -> pd.DataFrame:
        if not self._made:
            sides = [side for each in self.lexicons for side in _sides(each)]
            before, after = (
                word_vectors(of, self.before, sides) for of in (self.before.load(), model.encoder)
            )
            tables = [
                compare_words(before, after, each.trained, each.held_out, seed=self.seed)
                for each in self.lexicons
            ]
            self._made.append(pd.concat(tables, ignore_index=True))
        return self._made[0]

    def _pairs(self, lexicon: GoldBitext, pairs: Any) -> Features:
        """Return a row a pair: both words' tokens, and as labels which words they are."""
        tokenizer, length = self.before.tokenizer, self.phase.max_length
        ids = [
            tokenizer(list(side.texts), truncation=True, max_length=length)
            for side in (lexicon.source, lexicon.target)
        ]
        found = Features()
        for number, pair in enumerate(pairs.tolist()):
            both = [inputs_of(side, row) for side, row in zip(ids, pair, strict=True)]
            row = {name: [one[name] for one in both] for name in both[0]}
            found.add(number, row | {"labels": pair})
        return found


class WordPairs(nn.Module):
    """The encoder up to a layer, and the loss of a batch of word pairs there."""

    accepts_loss_kwargs = False  # see `heads.MultiHead`

    def __init__(self, encoder: nn.Module, injection: Injection, layers: int) -> None:
        """Take the encoder and L.

        Raises:
            ValueError: a layer that the encoder does not have.
        """
        super().__init__()
        if injection.layer > layers:
            raise ValueError(f"injection: layer {injection.layer} of an encoder with {layers}")
        self.encoder, self.injection, self.layers = encoder, injection, layers

    def forward(self, head: str, labels: Tensor, **inputs: Tensor) -> dict[str, Tensor]:
        """Return the loss of pairs (b, 2, t); labels (b, 2) tell equal words."""
        shape = inputs["input_ids"].shape
        flat = {name: value.reshape(-1, shape[-1]) for name, value in inputs.items()}
        states = states_at(self.encoder, self.injection.layer, self.layers, flat)
        vectors = mean_state(states, flat["attention_mask"]).float()
        x, y = functional.normalize(vectors, dim=1).reshape(shape[0], 2, -1).unbind(dim=1)
        return {"loss": contrast_loss(x @ y.T, labels, self.injection)}


def contrast_loss(cosines: Tensor, words: Tensor, how: Injection) -> Tensor:
    """Return the loss that brings the diagonal above everything else, over both directions.

    `infonce`: -log exp(s_ii / τ) / Σ_j exp(s_ij / τ); `triplet`: the mean of max(0, m + s_ij - s_ii). j
    runs over pairs with other words on both sides: a word's second translation is no counter-example.
    Sources: van den Oord et al. 2018; Schroff et al. 2015.

    Args:
        cosines: (b, b) of every first with every second word.
        words: (b, 2) the number of each word; equal words have equal numbers.
        how: loss, temperature τ, margin m.
    """
    wrong = (words[:, None] != words[None]).all(dim=2)
    if how.loss == "triplet":
        own = cosines.diagonal()
        over = sum(
            functional.relu(how.margin + s - own[:, None])[wrong].sum() for s in (cosines, cosines.T)
        )
        return over / (2 * wrong.sum()).clamp(min=1)
    keep = wrong | torch.eye(len(words), dtype=torch.bool, device=words.device)
    logits = (cosines / how.temperature).masked_fill(~keep, -torch.inf)
    return infonce(logits)


def infonce(logits: Tensor) -> Tensor:
    """Return -log exp(s_ii) / Σ_j exp(s_ij) of logits s (b, b), the mean over rows and both ways.

    Source: van den Oord et al. 2018, Representation learning with contrastive predictive coding.
    """
    own = torch.arange(len(logits), device=logits.device)
    return (functional.cross_entropy(logits, own) + functional.cross_entropy(logits.T, own)) / 2


def _sides(lexicon: Lexicon) -> list[Any]:
    return [side for part in (lexicon.trained, lexicon.held_out) for side in (part.source, part.target)]
