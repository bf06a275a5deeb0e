"""Protocols: what other tools do under one name, as far as it decides a number.

The threshold is always chosen and judged on different sentences here, whatever the tool does.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class MiningProtocol:
    """How a tool mines."""

    name: str
    k: int
    margin: str
    strategy: str
    extract: int | None  # candidates of a sentence; None: all k
    threshold: float | None  # None: tuned by best F1
    layer: str  # what it takes; for you to ask for with --layer
    pooling: str
    differs: str  # from what is done here under its name
    source: str


MINING_PROTOCOLS: Mapping[str, MiningProtocol] = {
    protocol.name: protocol
    for protocol in (
        MiningProtocol(
            "laser",
            k=4,
            margin="ratio",
            strategy="max",
            extract=None,
            threshold=None,
            layer="its own encoder's output",
            pooling="max",
            differs="its published F1 is tuned and measured on the same training split; sentences that "
            "stand twice are dropped there, one here",
            source="LASER tasks/bucc, https://github.com/facebookresearch/LASER",
        ),
        MiningProtocol(
            "xtreme",
            k=4,
            margin="ratio",
            strategy="max",
            extract=None,
            threshold=None,
            layer="8 of 12; as coded 20 of 24",
            pooling="mean",
            differs="tunes on the shared task's sample and reports on its training split, which it "
            "calls dev and test",
            source="Hu et al. 2020, https://github.com/google-research/xtreme",
        ),
        MiningProtocol(
            "jiant",
            k=4,
            margin="ratio",
            strategy="max",
            extract=None,
            threshold=None,
            layer="14 of 24",
            pooling="mean",
            differs="tunes on dev (the sample) and reports the sample itself or the test predictions",
            source="Phang et al. 2020, https://github.com/nyu-mll/jiant",
        ),
        MiningProtocol(
            "stopes",
            k=16,
            margin="ratio",
            strategy="union",
            extract=1,
            threshold=1.06,
            layer="its own encoder's output",
            pooling="encoder's",
            differs="approximate search there; cosines are doubled, which a ratio does not see",
            source="https://github.com/facebookresearch/stopes",
        ),
    )
}
