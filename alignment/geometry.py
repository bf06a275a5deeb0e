"""Geometry of one representation: over how many directions its variance is spread.

The participation ratio is also what biased CKA's null is made of: √(PR PR) / (n - 1).
"""

import numpy as np

from .views import Matrix, View


def participation_ratio(x: Matrix | View) -> float:
    """Return (tr Σ)² / ‖Σ‖²_F of the covariance Σ: the number of directions, if all were equal.

    Unchanged by rotation, isotropic scaling and translation. No decomposition: two norms.

    Returns:
        A value in [1, min(n - 1, d)], so that few sentences make it small.

    Raises:
        ValueError: as `linear_cka`, of one side.
    """
    view = x if isinstance(x, View) else View(x, "x")
    centred = view.centred
    long = view.n > view.width
    square = centred.T @ centred if long else centred @ centred.T
    return float(np.trace(square) ** 2 / np.vdot(square, square))


def isoscore(x: Matrix | View) -> float:
    """Return IsoScore, (PR - 1) / (d - 1), in [0, 1]: 1 where all directions vary alike.

    The definition of Rudman et al. 2022 (https://aclanthology.org/2022.findings-acl.262) is this, by
    algebra; it needs neither PCA nor n ≥ d.

    Raises:
        ValueError: as `participation_ratio`, and a single dimension.
    """
    view = x if isinstance(x, View) else View(x, "x")
    if view.width < 2:
        raise ValueError("IsoScore needs at least 2 dimensions, got 1")
    return float((participation_ratio(view) - 1) / (view.width - 1))
