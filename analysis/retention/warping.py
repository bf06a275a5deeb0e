"""By how many layers a curve has moved: the monotone warp of depth that best maps one to another.

A warp w gives each layer l of the fine-tuned checkpoint a depth of the base that is no lower than that
of the layer before. It minimises

    Σ_l ((f(l) - b(w(l))) / σ)² + Σ_l ((w(l) - l) / (L - 1))²

over steps of half a layer, b between layers by linear interpolation, σ² the mean variance of f - b:
where curves are as flat as the noise, the second term keeps depth as it is. Found exactly by dynamic
programming (as in dynamic time warping; Sakoe & Chiba 1978).
"""

import numpy as np
from jaxtyping import Float

STEPS = 2  # of a layer


def depth_warp(
    tuned: Float[np.ndarray, "*r l"], base: Float[np.ndarray, "*r l"], noise: float
) -> Float[np.ndarray, "*r l"]:
    """Return the depth of the base, in layers, that each layer of the fine-tuned checkpoint is like.

    Args:
        tuned: scores by layer, of one or of many draws.
        base: likewise, of the base.
        noise: σ; below what can be seen, curves are mapped exactly.

    Returns:
        Never falling from layer to layer, in [0, L - 1]; nan where a score is.
    """
    # depth first: sums and minima then run over the draws, which lie next to each other
    f, b = (np.ascontiguousarray(np.moveaxis(one, -1, 0)) for one in (tuned, base))
    count = len(f)
    grid = np.arange(STEPS * (count - 1) + 1) / STEPS
    below = np.minimum(grid.astype(int), count - 1)
    share = (grid - below).reshape(-1, *(1,) * (f.ndim - 1))
    scale = max(noise, 1e-12)
    curve = (b[below] * (1 - share) + b[np.minimum(below + 1, count - 1)] * share) / scale
    kept = ((grid - np.arange(count)[:, None]) / max(count - 1, 1)) ** 2  # a row a layer
    numbers = np.arange(len(grid), dtype=np.int16).reshape(share.shape)
    total = np.zeros_like(curve)
    where = []  # of each layer and end: the best place up to it
    for layer in range(count):
        total = total + (f[layer] / scale - curve) ** 2 + kept[layer].reshape(share.shape)
        lowest = np.minimum.accumulate(total, axis=0)
        where.append(np.maximum.accumulate((total == lowest) * numbers, axis=0))
        total = lowest
    found = np.empty(f.shape)
    end = np.full((1, *f.shape[1:]), len(grid) - 1)
    for layer in reversed(range(count)):
        end = np.take_along_axis(where[layer], end, axis=0).astype(int)
        found[layer] = grid[end[0]]
    found[:, np.isnan(f).any(axis=0) | np.isnan(b).any(axis=0)] = np.nan
    return np.moveaxis(found, 0, -1)
