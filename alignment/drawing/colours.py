"""Colours of lines: apart for the colour-blind and in grey, at least 3 : 1 against the ground."""

from collections.abc import Sequence

import numpy as np

from .sheets import Sheet

# after Okabe & Ito 2008, those too light for paper made darker
HUES = ("#0072b2", "#c75300", "#00795a", "#a8508a", "#666666", "#86600a", "#3b3b98", "#a3203c")
RAMP = 0.03, 0.60  # of "rocket", on paper
DARK_RAMP = 0.50, 0.97


def luminance(colours: np.ndarray) -> np.ndarray:
    """Return the relative luminance of colours, by WCAG 2.

    Args:
        colours: … × 3, red, green and blue from 0 to 1.
    """
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ np.array([0.2126, 0.7152, 0.0722]))


def hues(on: Sheet, count: int) -> Sequence[tuple[float, ...]]:
    """Return colours of things without an order; after the last of them they begin again.

    Args:
        on: the sheet; in the dark they are lighter.
        count: how many.
    """
    from matplotlib.colors import to_rgb

    shades = np.array([to_rgb(hue) for hue in HUES])
    if on.dark:
        shades = 0.5 + 0.5 * shades
    return [tuple(shades[at % len(shades)].tolist()) for at in range(count)]


def ramp(on: Sheet, count: int) -> Sequence[tuple[float, ...]]:
    """Return colours of things in an order, from dark to light (in the dark the other way round)."""
    import matplotlib as mpl
    import seaborn  # noqa: F401  its colour maps

    ends = DARK_RAMP[::-1] if on.dark else RAMP
    shades = mpl.colormaps["rocket"](np.linspace(*ends, count))
    return [tuple(shade.tolist()) for shade in shades[:, :3]]
