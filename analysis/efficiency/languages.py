"""What differs between languages: tokens, padding, and the time that parallel sentences take.

On the same sentences, time against English = token premium x padding x residual:

- premium: tokens of the language / tokens of English
- padding: padded tokens a token, of the language / of English
- residual: seconds a padded token, of the language / of English

Tokens a second reward a tokenizer that cuts words into many; sentences a second do not.
Fertility and continued words as in Rust et al. 2021; token premium as in Petrov et al. 2023.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ...alignment.checkpoints.checkpoint import Checkpoint
from ...alignment.encoding.tokens import Tokens
from ...data.languages import likely_script
from ...data.rows import Columns

DRAWS = 500
UNSPACED = {"Hani", "Hans", "Hant", "Jpan", "Thai", "Laoo", "Khmr", "Mymr", "Tibt"}


def token_rows(
    checkpoint: Checkpoint, texts: Mapping[str, Sequence[str]], tokens: Mapping[str, Tokens]
) -> Iterator[Columns]:
    """Yield a row per language: what its sentences are for the tokenizer.

    Args:
        checkpoint: whose tokenizer.
        texts: of every language, the same sentences; English (the pivot) first.
        tokens: as the model is fed them.
    """
    first = next(iter(texts))
    pivot = int(tokens[first].counts.sum()), int((~tokens[first].special).sum())
    for language, own in texts.items():
        known = tokens[language]
        fed, content = int(known.counts.sum()), int((~known.special).sum())
        fertility, continued = _words(checkpoint, language, own)
        yield {
            "subject": checkpoint.name,
            "language": language,
            "sentences": len(own),
            "tokens": fed,
            "bytes": sum(len(text.encode()) for text in own),
            "truncated": int(known.truncated.sum()),
            "premium": fed / pivot[0],
            "premium_content": content / max(pivot[1], 1),
            "unknown_share": float(known.unknown.sum() / max(content, 1)),
            "fertility": fertility,
            "continued_words": continued,
        }


def _words(checkpoint: Checkpoint, language: str, texts: Sequence[str]) -> tuple[float, float]:
    """Return tokens a word, and the share of words in several tokens; nan without spaces between words.

    A token is of the word that its characters are in; the offsets come from the tokenizer.
    """
    backend = getattr(checkpoint.tokenizer, "backend_tokenizer", None)
    if backend is None or likely_script(language) in UNSPACED:
        return float("nan"), float("nan")
    pieces: list[int] = []
    for text in texts:
        encoding = backend.encode(text, add_special_tokens=False)
        pieces += _pieces(text, encoding.offsets).tolist()
    counts = np.array(pieces or [0])
    return float(counts.mean()), float((counts > 1).mean())


def _pieces(text: str, offsets: Sequence[tuple[int, int]]) -> np.ndarray:
    """Return how many tokens have characters of each word; those of no token count as none."""
    space = np.array([True, *(character.isspace() for character in text), True])
    starts = np.flatnonzero(space[:-1] & ~space[1:])
    word_of = np.cumsum(np.r_[0, (space[:-1] & ~space[1:]).astype(int)])[1:-1]
    found = np.zeros(len(starts), dtype=np.int64)
    for start, stop in offsets:
        inside = {int(word_of[at]) - 1 for at in range(start, stop) if not text[at].isspace()}
        for word in inside:
            found[word] += 1
    return found


def time_rows(samples: pd.DataFrame, subject: str, first: str) -> Iterator[Columns]:
    """Yield a row per language: throughput of a subject, and its time against English, split.

    The interval of `time_ratio` draws the samples of every unit: 95 %, nan where a unit has one only.

    Args:
        samples: of `measure`, with languages as labels.
        subject: whose.
        first: the language that others are compared with.
    """
    own = samples[samples["subject"] == subject]
    # every unit counts once, however often it was run; its time is the median
    units = own.groupby(["label", "unit"], sort=False).agg(
        texts=("texts", "first"),
        tokens=("tokens", "first"),
        padded=("padded", "first"),
        wall=("wall", "median"),
    )
    totals: Any = units.groupby(level="label", sort=False).sum()
    pivot, drawn = totals.loc[first], _drawn_times(own)
    for language, row in totals.iterrows():
        low, high = np.quantile(drawn[str(language)] / drawn[first], [0.025, 0.975])
        alone = language == first
        premium = row["tokens"] / pivot["tokens"]
        padding = (row["padded"] / row["tokens"]) / (pivot["padded"] / pivot["tokens"])
        residual = (row["wall"] / row["padded"]) / (pivot["wall"] / pivot["padded"])
        yield {
            "subject": subject,
            "language": language,
            "sentences_per_second": row["texts"] / row["wall"],
            "tokens_per_second": row["tokens"] / row["wall"],
            "padded_tokens": int(row["padded"]),
            "time_ratio": premium * padding * residual,
            "time_low": 1.0 if alone else float(low),
            "time_high": 1.0 if alone else float(high),
            "time_premium": premium,
            "time_padding": padding,
            "time_residual": residual,
        }


def _drawn_times(samples: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return draws of what each language takes: the median of drawn samples, summed over units."""
    rng, found = np.random.default_rng(0), {}
    for label, part in samples.groupby("label", sort=False):
        total = np.zeros(DRAWS)
        for _, unit in part.groupby("unit", sort=False):
            walls = unit["wall"].to_numpy()
            drawn = np.median(walls[rng.integers(0, len(walls), (DRAWS, len(walls)))], axis=1)
            total += drawn if len(walls) > 1 else np.nan
        found[str(label)] = total
    return found


def latencies(samples: pd.DataFrame, column: str) -> Iterator[Columns]:
    """Yield percentiles of a column of samples, by subject and label; the 99th of 1,000 and more."""
    for (subject, label), own in [
        *samples.assign(label="all").groupby(["subject", "label"], sort=False),
        *samples.groupby(["subject", "label"], sort=False),
    ]:
        times = np.sort(own[column].to_numpy())
        yield {
            "subject": subject,
            "label": label,
            "clock": column,
            "samples": len(times),
            "queries_per_second": len(times) / times.sum(),
            **{f"p{q}_ms": float(np.percentile(times, q)) * 1e3 for q in (50, 90, 95)},
            "p99_ms": float(np.percentile(times, 99)) * 1e3 if len(times) >= 1000 else float("nan"),
        }
