"""`compare`: grids of a measure between layers, languages or checkpoints, as a table.

What is on the two sides of a grid:
    layers, translations   the layers of the source × the layers of its translation
    layers, same           the layers of a language × the layers of the same sentences (two checkpoints)
    languages              at each layer, every language × every language
    all                    every language's every layer × the same
A grid uses the sentences that all its languages have: n is one number.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import pandas as pd

from ...data import Bitext, load
from ..maps.table import check_in_sample
from ..measures import MEASURES
from ..representations.source import CheckpointLike, Source, open_model, open_source
from ..runs.cells import run_cells
from ..runs.folder import open_run
from ..runs.paths import open_root
from ..runs.progress import in_notebook, stage_of
from ..runs.shares import for_each
from ..runs.table import concatenate
from ..runs.threads import one_by_one
from .grid_cell import DECIDING, GridCell
from .grid_sides import plan
from .options import CompareOptions

# settings that say which sentences are read
_READ = ("languages", "pivot", "limit")


def compare_into(checkpoint: CheckpointLike, options: CompareOptions, folder: Path) -> pd.DataFrame:
    """Compute grids of a similarity measure within one checkpoint, or between two, in a run folder.

    Args:
        checkpoint: a folder, a hub id, `vectors:DIR`, or an opened checkpoint.
        options: what is asked for.
        folder: gets the finished grids and the table.

    Returns:
        A score table (docs/design.md, 4.7) with `other_checkpoint`, `other_layer`, `q` (Benjamini and
        Hochberg's p over the cells of a grid), `p_family` (with `permutations`); a row per cell.

    Raises:
        ValueError: see the messages; the user's input is wrong.
        OSError: something cannot be read or written.
    """
    maps = [name.strip() for name in str(options.maps).split(",")]
    for name in maps:
        check_in_sample(name, options.map_fit)
    MEASURES.with_value(options.measure)
    bitexts = _read(options)
    with ExitStack() as stack:
        progress = stack.enter_context(in_notebook(options.progress))
        root = stack.enter_context(open_root(options.store))
        sides = [side for bitext in bitexts for side in (bitext.source, bitext.target)]
        sources = [
            open_source(
                open_model(one, options),
                sides,
                poolings=[options.pooling],
                layers=str(options.layers),
                root=root,
                batch_tokens=options.batch_tokens,
                progress=stage_of(progress, "encoding"),
            )
            for one in (checkpoint, options.other)
            if one is not None
        ]
        for_each(lambda source: source.take_share(options.share), sources)
        _refuse_unlike(sources, options.measure)
        fingerprints = [source.fingerprint for source in sources]
        study = {
            "checkpoints": [source.columns["checkpoint"] for source in sources],
            "corpus": ",".join(dict.fromkeys(f"{b.corpus}/{b.split}" for b in bitexts)),
            **{name: getattr(options, name) for name in (*DECIDING, *_READ)},
        }
        run = stack.enter_context(open_run(folder, study, {"fingerprints": fingerprints}))
        known = [source.represent()[options.pooling] for source in sources]
        same = (options.sides or ("same" if len(sources) > 1 else "translations")) == "same"
        grids = plan(
            sources, known, bitexts, between=options.between, same=same, pooling=options.pooling
        )
        finished = run_cells(
            [GridCell(one, sources, bitexts[0], options, maps) for one in grids],
            run,
            engine=one_by_one,
            done=stage_of(progress, "comparing"),
        )
        finished.refuse_failures()
        whole = concatenate(finished.scores.values())
        run.write("scores", whole)
    if whole["value"].isna().all():
        raise ValueError(f"{options.measure} has no value in any cell: {whole['note'].iloc[0]}")
    return whole


def _read(options: CompareOptions) -> list[Bitext]:
    """Return the bitexts that are asked for."""
    loaded = (
        load(
            options.corpus,
            data_dir=options.data_dir,
            languages=str(options.languages),
            pivot=options.pivot,
            limit=options.limit,
        )
        if isinstance(options.corpus, str)
        else options.corpus
    )
    bitexts = [bitext for bitext in loaded if isinstance(bitext, Bitext)]
    if not bitexts:
        raise ValueError("compare needs a parallel corpus (row i with row i); a lexicon is many-to-many")
    return bitexts


def _refuse_unlike(sources: Sequence[Source], measure: str) -> None:
    """Refuse checkpoints whose numbers do not compare."""
    if len(sources) < 2:
        return
    families = {str(source.about["family"]) for source in sources if source.about.get("family")}
    if MEASURES[measure].family == "neuron" and len(families) > 1:
        raise ValueError(
            f"{measure} pairs neuron j with neuron j, which means nothing between the families "
            + " and ".join(sorted(families))
        )
    for name in ("dtype", "max_length", "prefix", "protocol"):
        a, b = (source.columns[name] for source in sources)
        if a != b:
            raise ValueError(
                f"the checkpoints are encoded with different {name} ({a} and {b}); name one for both"
            )
