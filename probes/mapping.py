"""What maps of vectors are fitted on: training examples, or parallel text that is held out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..alignment.maps.fitting import load_fits, without
from ..alignment.maps.table import PAIRED, SHARED, choose_map, fitted_on
from ..data import Bitext, Side
from .material import ALL, TEST, TRAIN, Labelled, Material

Fits = Mapping[str, tuple[Side, Side]]  # by language: texts in it, and in the language trained on


@dataclass(frozen=True, eq=False)
class Mapped:
    """A map of vectors, what it is fitted on, and these texts by language trained on."""

    name: str = "none"
    fit: str = ""
    texts: Mapping[str, Fits] = field(default_factory=dict)

    @property
    def sides(self) -> list[Side]:
        """All texts."""
        return [side for fits in self.texts.values() for pair in fits.values() for side in pair]


def mapped_by(
    material: Material,
    trains: Sequence[str],
    name: str,
    fit: str = "",
    data_dir: str | Path | None = None,
) -> Mapped:
    """Return a map with what it is fitted on, for every language trained on; see `texts_to_fit`."""
    texts = {one: texts_to_fit(material, one, name, fit, data_dir) for one in trains}
    return Mapped(name, fitted_on(name, fit or TRAIN), texts)


def texts_to_fit(
    material: Material,
    train: str,
    map_name: str,
    map_fit: str = "",
    data_dir: str | Path | None = None,
) -> Fits:
    """Return what the map of each tested language is fitted on; nothing for `none`.

    Never a test: without a name the training examples of both languages, which must be the same items
    where rows must translate each other (`procrustes`, `ridge`); or a corpus of parallel sentences, less
    those that stand in a test. The language trained on has its own texts on both sides; so do all of a
    map that must do the same to every language (`without-outliers`).

    Args:
        material: the examples.
        train: the language that a probe is fitted in.
        map_name: see `alignment.maps`.
        map_fit: a corpus and its split, "ntrex", "flores/dev"; by default training examples.
        data_dir: as for `crosslingual.data.load`.

    Raises:
        ValueError: an unknown map or corpus, one without a language, a language without training
            examples, examples that are not the same items.
    """
    if map_name == "none":
        if map_fit:
            raise ValueError(f"`map_fit` {map_fit} goes with a map; name it with `map`")
        return {}
    choose_map(map_name)
    if train == ALL:
        raise ValueError(f"map {map_name} needs one language that is trained on")
    others = [one for one in material.languages if one != train]
    shared = map_name.partition("@")[0] in SHARED
    if map_fit:
        if not others:
            raise ValueError(f"`map_fit` {map_fit}: nothing is tested in another language than {train}")
        found = _held_out(material, train, others, map_fit, data_dir)
    else:
        found = {one: _training(material, one, train, map_name) for one in others if not shared}
    own = next((there for _, there in found.values()), _side(material.parts[train, TRAIN]))
    if shared:
        found = dict.fromkeys(others, (own, own))
    return {train: (own, own), **found}


def _held_out(
    material: Material, train: str, others: Sequence[str], name: str, data_dir: str | Path | None
) -> dict[str, tuple[Side, Side]]:
    found = {}
    tests = {one: _fed(material.parts[one, TEST]) for one in material.languages}
    for language, fit in load_fits(name, train, others, data_dir=data_dir).items():
        held_out = without(fit, tests[language], tests.get(train, ()), material.name)
        if not isinstance(held_out, Bitext):
            raise ValueError(f"`map_fit` {fit.name}: there one sentence may have several translations")
        found[language] = held_out.source, held_out.target
    return found


def _fed(labelled: Labelled) -> set[str]:
    """Return the texts that examples are read in: of words their sentences."""
    sentences = (one for side in labelled.sides for one in side.sentences)
    return {one.text if one.context is None else one.context.text for one in sentences}


def _training(material: Material, language: str, train: str, map_name: str) -> tuple[Side, Side]:
    if (language, TRAIN) not in material.parts:
        raise ValueError(
            f"map {map_name}: no training examples in {language} to fit it on; name parallel text with "
            "`map_fit`"
        )
    here, there = material.parts[language, TRAIN], material.parts[train, TRAIN]
    if map_name not in PAIRED:
        return _side(here), _side(there)
    if material.of_words:
        raise ValueError(
            f"map {map_name} is fitted on translations, and words have none here; name parallel text "
            "with `map_fit`"
        )
    ids = {one: row for row, one in enumerate(there.first.ids)}
    rows = [row for row, one in enumerate(here.first.ids) if one in ids]
    if len(rows) < 0.9 * len(here):
        raise ValueError(
            f"map {map_name}: the training examples in {language} and {train} are not the same items; "
            "name parallel text with `map_fit`"
        )
    return _side(here, rows), _side(there, [ids[here.first.ids[row]] for row in rows])


def _side(labelled: Labelled, rows: Sequence[int] | None = None) -> Side:
    """Return some examples' texts, of pairs the first ones and then the second ones."""
    rows = range(len(labelled)) if rows is None else rows
    sentences = tuple(side.sentences[row] for side in labelled.sides for row in rows)
    return Side(labelled.first.language, labelled.first.code, sentences)
