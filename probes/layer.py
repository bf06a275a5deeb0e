"""A layer probed: fitted in some languages, tested in all, beside probes of permuted labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

from .linear import Probes, Scaler, fit
from .material import DEV, TEST, TRAIN, Material

PENALTIES = (1e-3, 1e-2, 0.1, 1.0, 10.0)  # λ, of standardised vectors
PERMUTED = 20  # label sets dealt anew: what a probe reaches that has nothing to find


@dataclass(frozen=True, eq=False)
class Tested:
    """What a probe says of a language's test: which answers are right."""

    right: Float[np.ndarray, "n"]
    permuted: Float[np.ndarray, "r"]  # accuracies of probes that were fitted on labels dealt anew
    penalty: float
    loss: float  # on dev, in nats
    converged: bool
    fitted_on: int  # examples


def probe_layer(
    material: Material,
    vectors: Mapping[tuple[str, str], np.ndarray],
    train: Sequence[str],
    *,
    permuted: int = PERMUTED,
    penalties: Sequence[float] = PENALTIES,
    seed: int = 0,
    device: str = "cpu",
) -> dict[str, Tested]:
    """Return by language what a probe says that is fitted on some languages' training examples.

    Vectors are standardised by the training examples; the penalty is the one of least loss on dev of the
    languages trained on. Probes of permuted labels take it too, and are tested on the true ones.
    """
    x, y = _joined(material, vectors, train, TRAIN)
    x_dev, y_dev = _joined(material, vectors, train, DEV)
    scaler = Scaler.of(x)
    z, classes = scaler(x), len(material.classes)
    rates = np.array(penalties)
    probes = fit(z, y[None], rates, classes=classes, device=device).on_raw(scaler)
    losses = [_loss(probes.logits(x_dev, i)[0], y_dev) for i in range(len(rates))]
    best = int(np.argmin(losses))
    rng = np.random.default_rng([seed, 1])
    controls: Probes | None = None
    if permuted:
        sets = np.stack([rng.permutation(y) for _ in range(permuted)])
        chosen = rates[best : best + 1]
        controls = fit(z, sets, chosen, classes=classes, device=device).on_raw(scaler)
    found = {}
    for language in material.languages:
        test, answers = vectors[language, TEST], material.parts[language, TEST].labels
        dealt = np.zeros(0)
        if controls is not None:
            dealt = (controls.logits(test, 0).argmax(axis=2) == answers).mean(axis=1)
        found[language] = Tested(
            (probes.logits(test, best)[0].argmax(axis=1) == answers).astype(np.float64),
            dealt,
            penalties[best],
            losses[best],
            bool(probes.converged[0, best]) and (controls is None or bool(controls.converged.all())),
            len(y),
        )
    return found


def _joined(
    material: Material,
    vectors: Mapping[tuple[str, str], np.ndarray],
    languages: Sequence[str],
    part: str,
) -> tuple[Float[np.ndarray, "n d"], Int64[np.ndarray, "n"]]:
    keys = [(language, part) for language in languages if (language, part) in material.parts]
    if not keys:
        raise ValueError(f"{material.name}: no {part} examples in {', '.join(languages)}")
    return (
        np.concatenate([vectors[key] for key in keys]),
        np.concatenate([material.parts[key].labels for key in keys]),
    )


def _loss(logits: Float[np.ndarray, "n k"], labels: Int64[np.ndarray, "n"]) -> float:
    top = np.logaddexp.reduce(logits.astype(np.float64), axis=1)
    return float((top - logits[np.arange(len(labels)), labels]).mean())
