"""What a run of `score` does: its options with everything resolved, once, before any work."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...data.rows import Columns, Row
from ..checkpoints.checkpoint import Checkpoint
from ..maps.table import check_fit
from ..measure import Measure
from ..measures import MEASURES
from ..options import split_names
from ..protocols import PROTOCOLS, RetrievalProtocol, choose_protocol
from ..representations.given import GivenVectors
from .map_decomposition import STEPS
from .options import ScoreOptions
from .rows import need_pairing

logger = logging.getLogger(__name__)

DECOMPOSITION = ("decomposition", "ladder")  # either names all steps of the decomposition
# settings that change a cell's numbers and are not its layers, measures, pooling or map
DECIDING = ("duplicates", "resample", "null", "seed", "store_dtype")


@dataclass(frozen=True, eq=False)
class Settings:
    """Options, and what they come to for one model."""

    options: ScoreOptions  # with what the protocol decides
    model: Checkpoint | GivenVectors
    measures: Sequence[Measure]
    poolings: Sequence[str]
    maps: Sequence[str]
    unit: str = ""  # of what the protocol is; "" for any
    directions: Sequence[str] = ()  # that the protocol has; all where it is empty

    @property
    def decomposed(self) -> bool:
        """Whether all steps of the decomposition are scored."""
        return set(STEPS) <= set(self.maps)

    @property
    def study(self) -> Columns:
        """The options as study.yaml keeps them."""
        return kept_options(self.options)

    def labels(self, about: Row) -> Columns:
        """Return family, stage, recipe and training seed: as set, else from crosslingual.json."""
        known = {"family": "", "stage": "", "recipe": "", "train_seed": about.get("seed")} | {
            name: about[name] for name in ("family", "stage", "recipe") if name in about
        }
        flags = {name: getattr(self.options, name) for name in known}
        labels = known | {name: flag for name, flag in flags.items() if flag is not None}
        return labels | {"protocol": self.options.protocol}


# where things are, not what is computed
_NOT_KEPT = (
    *("corpus", "data_dir", "out", "store", "progress", "share"),
    *("device", "device_map", "batch_tokens", "revisions"),
)


def kept_options(options: ScoreOptions) -> Columns:
    """Return the options that say what is computed."""
    names = [field for field in options.__dataclass_fields__ if field not in _NOT_KEPT]
    kept = {name: getattr(options, name) for name in names}
    return {name: str(one) if hasattr(one, "__fspath__") else one for name, one in kept.items()}


def resolve(options: ScoreOptions, model: Checkpoint | GivenVectors) -> Settings:
    """Return the settings of a run, with measures chosen and the protocol applied.

    Raises:
        ValueError: an unknown measure, map or protocol; no pooling or map; a map without anything to be
            fitted on; something else than the protocol decides; what given vectors do not have.
    """
    protocol = choose_protocol(options.protocol, PROTOCOLS)
    poolings = split_names(options.pooling)
    if protocol is not None:
        options = _under(options, protocol)
        poolings = ["mean"] if isinstance(model, GivenVectors) else _own_poolings(protocol, model)
        blocks = model.last if isinstance(model, GivenVectors) else model.layers
        options = replace(options, layers=protocol.layer(blocks))
        if isinstance(model, Checkpoint):
            model = _at_length(protocol, model)
    maps = [
        each
        for name in split_names(options.maps)
        for each in (STEPS if name in DECOMPOSITION else [name])
    ]
    for setting, names in (("pooling", poolings), ("maps", maps)):
        if not names:
            raise ValueError(f"`{setting}` is empty: name one, or leave it out")
    for name in maps:
        check_fit(name, options.map_fit)
    measures = MEASURES.choose(str(options.measures))
    if options.errors and not need_pairing(measures):
        raise ValueError("`errors` needs a measure of retrieval: add accuracy to `measures`")
    if options.random_init and isinstance(model, GivenVectors):
        raise ValueError(
            "vectors have no architecture to make a random copy of; leave out `random_init`"
        )
    return Settings(
        options,
        model,
        measures,
        poolings,
        list(dict.fromkeys(maps)),
        protocol.unit if protocol else "",
        protocol.directions if protocol else (),
    )


def _under(options: ScoreOptions, protocol: RetrievalProtocol) -> ScoreOptions:
    """Return the options with what a protocol decides.

    Raises:
        ValueError: one of them was chosen otherwise.
    """
    usual, decided = ScoreOptions(), protocol.settings
    names = {"pooling", "layers", *decided}
    for name in sorted(names, key=lambda name: (name == "map_fit", name)):  # maps before it
        if getattr(options, name) not in (getattr(usual, name), decided.get(name)):
            raise ValueError(
                f"protocol {protocol.name} decides `{name}`; leave that out or take no protocol"
            )
    return replace(options, **decided)


def _at_length(protocol: RetrievalProtocol, model: Checkpoint) -> Checkpoint:
    """Return the checkpoint with the greatest length that a protocol has."""
    stage = str(model.about.get("stage", ""))
    if stage and protocol.stage not in (stage, "any"):
        logger.warning(
            "protocol %s is for %s checkpoints, this is %s", protocol.name, protocol.stage, stage
        )
    length = protocol.max_length
    if length is None:
        return model
    if model.requested_length not in (None, length):
        raise ValueError(f"protocol {protocol.name} takes {length} tokens; leave out `max_length`")
    return replace(model, requested_length=length)


def _own_poolings(protocol: RetrievalProtocol, model: Checkpoint) -> list[str]:
    """Return a protocol's poolings; mean for native where the folder has no pooling of its own."""
    own = model.parts.modules is not None
    return ["mean" if one == "native" and not own else one for one in protocol.poolings]
