"""What a probed layer becomes in the table: accuracy, ceiling, gap, controls, floors, intervals."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..alignment.runs.table import Tables
from ..alignment.statistics.intervals import LEVEL
from ..data.rows import Columns
from .classifiers.codelength import online_codelength
from .control import BY_TYPE
from .layer import Tested, joined, probe_layer
from .material import TEST, TRAIN, Material
from .resampling import Ends, intervals, p_value, with_ends
from .setup import Setup
from .trees import tree_layer


def rows_of(
    material: Material,
    vectors: Mapping[tuple[str, str], np.ndarray],
    setup: Setup,
    columns: Columns,
) -> Tables:
    """Return a row per tested language, and which answers were right."""
    found = _probed(material, vectors, setup, setup.languages)
    coded = _codelength(material, vectors, setup) if setup.codelength else {}
    owns: dict[str, Tested | None] = {}
    for language, tested in found.items():
        owns[language] = tested if list(setup.languages) == [language] else None
        if language in setup.ceilings:
            owns[language] = _probed(material, vectors, setup, [language], tests=[language])[language]
    kind = setup.controls.kind
    outcomes = {
        one: _outcomes(tested, owns[one], setup.reference[one], kind) for one, tested in found.items()
    }
    ends = intervals(outcomes, setup.groups, setup.seed)
    rows, items = [], []
    for language, tested in found.items():
        floors = setup.constant[language], float(setup.reference[language].mean())
        groups = int(setup.groups[language].max()) + 1
        more: Columns = dict(tested.more)
        rows.append(
            columns
            | {"test": language, "metric": "UUAS" if material.trees else "accuracy"}
            | with_ends(SCORES, outcomes[language], ends[language])
            | _about(tested, owns[language], groups)
            | {"p": _p(outcomes[language], ends[language], floors[0], groups)}
            | _controls(tested, kind)
            | dict(zip(("majority", "surface"), floors[::-1] if material.trees else floors, strict=True))
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
    present, y = np.unique(y, return_inverse=True)
    coded = online_codelength(x, y, len(present), groups=groups, seed=setup.seed)
    return {
        "bits": coded.bits / len(y),
        "compression": coded.compression,
        "compression_of_marginal": coded.compression_of_marginal,
    }


ENOUGH = 10  # controls whose spread is reported
SCORES = ("accuracy", "ceiling", "gap", "selectivity", "above")


def _outcomes(
    tested: Tested, own: Tested | None, reference: Float[np.ndarray, "n"], kind: str
) -> Float[np.ndarray, "n 5"]:
    ceiling = tested.right * np.nan if own is None else own.right
    selective = tested.right - (tested.control if kind == BY_TYPE else np.nan)
    columns = tested.right, ceiling, ceiling - tested.right, selective, tested.right - reference
    return np.stack(columns, axis=1)


def _p(outcomes: Float[np.ndarray, "n 5"], ends: Ends, constant: float, groups: int) -> float:
    """Return the p-value of being above both floors: the greater one of both."""
    accuracy, above = outcomes[:, 0].mean(), outcomes[:, -1].mean()
    # groups that are all equal: how likely that is where each is as likely below as above
    signs = 0.5**groups
    found = [p_value(float(above), ends[0][-1], ends[1][-1], groups, signs)]
    if constant == constant:
        if_equal = constant**groups if accuracy == 1 else signs
        found.append(p_value(float(accuracy) - constant, ends[0][0], ends[1][0], groups, if_equal))
    return max(found)


def _about(tested: Tested, own: Tested | None, groups: int) -> Columns:
    return {
        "setting": tested.setting,
        "dev_loss": tested.loss,
        "converged": tested.converged and (own is None or own.converged),
        "n_train": tested.fitted_on,
        "n": len(tested.right),
        "groups": groups,
        "level": LEVEL,
    }


def _controls(tested: Tested, kind: str) -> Columns:
    """Return the controls' mean accuracy; how many of their spreads the probe is above it."""
    dealt = tested.controls
    spread = float(dealt.std(ddof=1)) if len(dealt) >= ENOUGH else 0.0
    apart = float(tested.right.mean() - dealt.mean()) if len(dealt) else np.nan
    return {
        "control_kind": kind,
        "control": float(dealt.mean()) if len(dealt) else np.nan,
        "z": apart / spread if spread > 0 and kind != BY_TYPE else np.nan,
    }
