"""What maps are fitted on: for every bitext that is scored, one of the same languages held out."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...data import AnyBitext, GoldBitext, Side, load
from ...data.bitext import MINIMUM

logger = logging.getLogger(__name__)


def fit_bitexts(
    name: str, scored: Sequence[AnyBitext], *, data_dir: str | Path | None
) -> list[AnyBitext]:
    """Return a held-out bitext for each of those that are scored, in their order.

    Sentences that both have (on either side) are left out of the fit, and that is said.

    Args:
        name: of a corpus, with its split: "ntrex", "flores/dev".
        scored: the bitexts that the fitted maps will be applied to.
        data_dir: as for `crosslingual.data.load`.

    Raises:
        ValueError: the corpus does not have a language, or is the one that is scored; too little is
            left.
        OSError: the corpus is not there.
    """
    known: dict[tuple[str, str], AnyBitext] = {}
    for target in dict.fromkeys(bitext.target.language for bitext in scored):
        sources = {b.source.language for b in scored if b.target.language == target}
        found = load_fits(name, target, sorted(sources), data_dir=data_dir)
        known |= {(source, target): bitext for source, bitext in found.items()}
    fits = [known[b.source.language, b.target.language] for b in scored]
    for fit, bitext in zip(fits, scored, strict=True):
        if (fit.corpus, fit.split) == (bitext.corpus, bitext.split):
            raise ValueError(
                f"`map_fit` {fit.corpus}/{fit.split} is what is scored; name another bitext, or "
                "in-sample"
            )
    return [
        without(fit, set(bitext.source.texts), set(bitext.target.texts), bitext.name)
        for fit, bitext in zip(fits, scored, strict=True)
    ]


def load_fits(
    name: str, target: str, sources: Sequence[str], *, data_dir: str | Path | None
) -> dict[str, AnyBitext]:
    """Return a corpus' bitext of each of some languages with one; of two variants the first.

    Raises:
        ValueError: the corpus does not have a language.
        OSError: it is not there.
    """
    try:
        found = load(name, data_dir=data_dir, languages=",".join(sources), pivot=target)
    except ValueError as error:
        raise ValueError(f"`map_fit` {name}: {error}") from None
    return {bitext.source.language: bitext for bitext in found[::-1]}


def without(
    fit: AnyBitext, sources: Collection[str], targets: Collection[str], measured: str
) -> AnyBitext:
    """Return a bitext without the pairs of which a text is measured on its side.

    Args:
        fit: the bitext.
        sources: texts that are measured in its source's language.
        targets: in its target's.
        measured: what they are, for the message.

    Raises:
        ValueError: too little is left.
    """
    pairs = fit.gold if isinstance(fit, GoldBitext) else [(row, row) for row in range(len(fit))]
    texts = [(fit.source.texts[i], fit.target.texts[j]) for i, j in pairs]
    apart = np.array([source not in sources and target not in targets for source, target in texts])
    if apart.all():
        return fit
    logger.info(
        "%d of %d sentences of %s are scored in %s too and are left out of the fit",
        (~apart).sum(),
        len(fit),
        fit.name,
        measured,
    )
    if apart.sum() < MINIMUM:
        raise ValueError(f"`map_fit` {fit.name}: {apart.sum()} sentences are left to fit on")

    if isinstance(fit, GoldBitext):
        return replace(fit, gold=tuple(pair for pair, keep in zip(pairs, apart, strict=True) if keep))

    def some(side: Side) -> Side:
        kept = zip(side.sentences, apart, strict=True)
        return replace(side, sentences=tuple(sentence for sentence, keep in kept if keep))

    return replace(fit, source=some(fit.source), target=some(fit.target))
