"""What a probed layer becomes in the table: accuracy, ceiling, gap, controls, floors, intervals."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import scipy.stats
from jaxtyping import Float

from ..alignment.nulls import benjamini_hochberg, holm
from ..alignment.table import Tables
from ..alignment.uncertainty import LEVEL, draw_groups, group_bootstrap
from .codelength import online_codelength
from .control import BY_TYPE
from .layer import Tested, joined, probe_layer
from .material import ALL, TEST, TRAIN, Material
from .setup import Setup
from .trees import tree_layer


def rows_of(
    material: Material,
    vectors: Mapping[tuple[str, str], np.ndarray],
    setup: Setup,
    columns: dict[str, Any],
) -> Tables:
    """Return a row per tested language, and which answers were right."""
    found = _probed(material, vectors, setup, setup.languages)
    coded = _codelength(material, vectors, setup) if setup.codelength else {}
    rows, items = [], []
    for language, tested in found.items():
        own: Tested | None = tested if list(setup.languages) == [language] else None
        if own is None and setup.train != ALL and (language, TRAIN) in material.parts:
            own = _probed(material, vectors, setup, [language], tests=[language])[language]
        constant, grams = setup.floors[language]
        floor = float(np.nanmax([constant, grams]))
        more: dict[str, Any] = dict(tested.more)
        rows.append(
            columns
            | {"test": language, "metric": "UUAS" if material.trees else "accuracy"}
            | _scores(tested, own, setup.groups[language], setup.seed, floor)
            | _controls(tested, setup.controls.kind)
            | {"majority": constant, "surface": grams}
            | {"unseen": 0 if material.trees else material.unseen(setup.languages, language)}
            | (coded if language in setup.languages else dict.fromkeys(coded, np.nan))
            | more
        )
        ids = material.parts[language, TEST].first.ids
        items.append(
            {
                "test": np.full(len(tested.right), language, object),
                "id": np.array(ids, object)[setup.tested[language]],
                "group": setup.groups[language],
                "right": tested.right == 1,
            }
        )
    whole = {name: np.concatenate([one[name] for one in items]) for name in items[0]}
    head = {"train": setup.train, "layer": columns["layer"]}
    return Tables(pd.DataFrame(rows), pd.DataFrame(head | whole))


def _probed(
    material: Material,
    vectors: Mapping[tuple[str, str], np.ndarray],
    setup: Setup,
    train: Sequence[str],
    tests: Sequence[str] | None = None,
) -> dict[str, Tested]:
    if material.trees:
        return tree_layer(material, vectors, train, tests=tests, seed=setup.seed)
    return probe_layer(
        material, vectors, train, family=setup.family, tests=tests, seed=setup.seed,
        controls=setup.controls if tests is None else None,
    )  # fmt: skip


def _codelength(
    material: Material, vectors: Mapping[tuple[str, str], np.ndarray], setup: Setup
) -> dict[str, float]:
    x, y = joined(material, vectors, setup.languages, TRAIN)
    groups = [group for one in setup.languages for group in material.parts[one, TRAIN].groups]
    coded = online_codelength(x, y, len(material.classes), groups=groups, seed=setup.seed)
    return {
        "bits": coded.bits / len(y),
        "compression": coded.compression,
        "compression_of_marginal": coded.compression_of_marginal,
    }


def adjusted(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with p adjusted over all of its cells: q (false discoveries) and Holm's."""
    p = table["p"].to_numpy(np.float64)
    return table.assign(q=benjamini_hochberg(p), p_holm=holm(p))


@lru_cache(maxsize=8)
def draws(count: int, seed: int) -> Float[np.ndarray, "r g"]:
    """Return the resamples of so many groups: the same for languages and layers of parallel items."""
    return draw_groups(count, rng=np.random.default_rng(seed))


def p_value(difference: float, low: float, high: float, *, sides: int = 1) -> float:
    """Return the normal p-value of a difference from its interval of `LEVEL`."""
    if not low <= high:
        return float("nan")
    error = (high - low) / (2 * scipy.stats.norm.ppf((1 + LEVEL) / 2))
    if error == 0:
        return 1.0 if difference <= 0 and sides == 1 else float(difference == 0)
    z = abs(difference) / error if sides == 2 else difference / error
    return float(sides * scipy.stats.norm.sf(z))


def _scores(
    tested: Tested, own: Tested | None, groups: np.ndarray, seed: int, floor: float
) -> dict[str, Any]:
    ceiling = tested.right * np.nan if own is None else own.right
    outcomes = np.stack(
        [tested.right, ceiling, ceiling - tested.right, tested.right - tested.control], axis=1
    )
    count = int(groups.max()) + 1
    # the same draws: languages and layers share the resamples of parallel items
    rng = np.random.default_rng(seed)
    low, high = group_bootstrap(outcomes, groups, rng=rng, draws=draws(count, seed))
    means = outcomes.mean(axis=0)
    scores: dict[str, Any] = {}
    for i, name in enumerate(("accuracy", "ceiling", "gap", "selectivity")):
        scores |= {name: means[i], f"{name}_low": low[i], f"{name}_high": high[i]}
    return scores | {
        "p": p_value(means[0] - floor, low[0], high[0]),
        "setting": tested.setting,
        "dev_loss": tested.loss,
        "converged": tested.converged and (own is None or own.converged),
        "n_train": tested.fitted_on,
        "n": len(tested.right),
        "groups": count,
        "level": LEVEL,
    }


def _controls(tested: Tested, kind: str) -> dict[str, Any]:
    """Return the controls' mean accuracy; how many of their spreads the probe is above it."""
    dealt = tested.controls
    spread = float(dealt.std(ddof=1)) if len(dealt) > 1 else 0.0
    apart = float(tested.right.mean() - dealt.mean()) if len(dealt) else np.nan
    return {
        "control_kind": kind,
        "control": float(dealt.mean()) if len(dealt) else np.nan,
        "z": apart / spread if spread > 0 and kind != BY_TYPE else np.nan,
    }
