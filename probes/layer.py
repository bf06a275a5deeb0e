"""A layer probed: fitted in some languages, tested in all, with controls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from jaxtyping import Float, Int64

from ..alignment.runs.threads import in_order
from .classifiers.families import FAMILIES, Sample
from .control import Controls
from .material import DEV, TEST, TRAIN, Material


@dataclass(frozen=True, eq=False)
class Tested:
    """What a probe says of a language's test: which answers are right."""

    right: Float[np.ndarray, "n"]
    control: Float[np.ndarray, "n"]  # share of the control sets whose probe is right
    controls: Float[np.ndarray, "r"]  # accuracy of each of their probes
    setting: float
    loss: float  # on dev
    converged: bool
    fitted_on: int  # examples
    more: Mapping[str, float] = field(default_factory=dict)  # more columns of the test


def probe_layer(
    material: Material,
    vectors: Mapping[tuple[str, str], np.ndarray],
    train: Sequence[str],
    *,
    family: str = "linear",
    controls: Controls | None = None,
    tests: Sequence[str] | None = None,
    seed: int = 0,
    device: str = "cpu",
) -> dict[str, Tested]:
    """Return by language what probes say that are fitted on some languages' training examples.

    Args:
        material: the examples.
        vectors: by language and part.
        train: the languages fitted in; dev of these chooses.
        family: a key of `FAMILIES`.
        controls: label sets whose probes are fitted and tested with it.
        tests: languages; by default all.
        seed: of what is not convex.
        device: where the products run.

    Raises:
        ValueError: see `Material.refuse_untrainable`; values that are not finite.
    """
    material.refuse_untrainable(train)
    x, y = joined(material, vectors, train, TRAIN)
    x_dev, y_dev = joined(material, vectors, train, DEV)
    present = np.unique(y)
    seen = np.isin(y_dev, present)  # dev's labels of other classes cannot choose
    sets, dev = y[None], y_dev[None]
    if controls is not None:
        sets, dev = np.concatenate([sets, controls.train]), np.concatenate([dev, controls.dev])
    places = np.searchsorted(present, np.arange(len(material.classes)))
    fitted = FAMILIES[family](
        Sample(x, places[sets], x_dev[seen], places[dev][:, seen], len(present), seed, device)
    )

    def test(language: str) -> Tested:
        control_labels = controls.tests.get(language, ()) if controls is not None else ()
        with np.errstate(invalid="ignore"):
            logits = fitted.logits(vectors[language, TEST], 1 + len(control_labels))
        _finite(logits[0], f"{material.name} ({language}): {TEST}")  # as the vectors are, and fewer
        answers = present[logits.argmax(axis=2)]
        right = (answers[0] == material.parts[language, TEST].labels).astype(np.float64)
        control = np.empty((0, len(right)))
        if len(control_labels):
            control = (answers[1:] == control_labels).astype(np.float64)
        return Tested(
            right,
            control.mean(axis=0) if len(control) else np.full(len(right), np.nan),
            control.mean(axis=1),
            fitted.setting,
            fitted.loss,
            fitted.converged,
            len(y),
        )

    languages = material.languages if tests is None else tests
    # many small products: a core each is faster than each by all cores
    jobs = 1 if len(languages) == 1 else None
    found = in_order((partial(test, language) for language in languages), jobs)
    return dict(zip(languages, found, strict=True))


def _finite(x: Float[np.ndarray, "n d"], what: str) -> Float[np.ndarray, "n d"]:
    bad = int((~np.isfinite(x).all(axis=1)).sum())
    if bad:
        raise ValueError(f"{what}: vectors of {bad} of {len(x)} examples are not finite")
    return x


def joined(
    material: Material,
    vectors: Mapping[tuple[str, str], np.ndarray],
    languages: Sequence[str],
    part: str,
) -> tuple[Float[np.ndarray, "n d"], Int64[np.ndarray, "n"]]:
    """Return vectors and labels of a part in some languages, one after the other.

    Raises:
        ValueError: values that are not finite.
    """
    keys = [(language, part) for language in languages if (language, part) in material.parts]
    x = _finite(np.concatenate([vectors[key] for key in keys]), f"{material.name}: {part}")
    return x, np.concatenate([material.parts[key].labels for key in keys])
