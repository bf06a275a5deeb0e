"""The data of a study: read before anything is done, so that what is missing is known at once."""

from collections.abc import Sequence
from pathlib import Path

from ...data import AnyBitext, load
from ...training.material import load_material, load_text
from .plan import Plan

Bitexts = dict[str, Sequence[AnyBitext]]  # by the name that the study gives the corpus


def read_bitexts(plan: Plan, data_dir: Path | None) -> Bitexts:
    """Return the bitexts of every corpus of a study.

    Raises:
        ValueError: layers would be chosen on what is reported, or could not be chosen for a language.
        OSError: data that are not there.
    """
    found: Bitexts = {}
    for part in plan.parts:
        found[part.name] = load(
            part.corpus,
            data_dir=data_dir,
            languages=part.languages,
            pivot=part.pivot,
            pairs=part.pairs,
            limit=part.limit,
        )
    dev = plan.study.dev.name
    known = {_pair(bitext) for bitext in found[dev]}
    sets = {(bitext.corpus, bitext.split) for bitext in found[dev]}
    for part in plan.study.test:
        for bitext in found[part.name]:
            if (bitext.corpus, bitext.split) in sets:
                raise ValueError(
                    f"dev: layers chosen on {dev} cannot be reported on {part.corpus}, the same ones"
                )
            if _pair(bitext) not in known:
                raise ValueError(
                    f"dev: {dev} has no {'-'.join(_pair(bitext))}, which {part.corpus} is asked for: "
                    "layers are chosen language by language"
                )
    return found


def check_tasks(plan: Plan, data_dir: Path | None) -> None:
    """Read what the recipes train on, once each.

    Raises:
        ValueError: what a part of a recipe is refused for.
        OSError: data that are not there.
    """
    seed = plan.study.seeds[0]
    for treatment in plan.study.treatments.values():
        for phase in treatment.phases:
            for part in phase.tasks:
                load_material(part, data_dir, seed)
            if phase.mlm is not None:
                load_text(phase.mlm, data_dir)


def _pair(bitext: AnyBitext) -> tuple[str, str]:
    return bitext.source.language, bitext.target.language
