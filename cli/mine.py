"""`crosslingual mine`: translation pairs out of two languages' sentences."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import options

if TYPE_CHECKING:
    import pandas as pd

    from ..alignment.mine import Mined

_Option = typer.Option


def mine(
    source: Annotated[
        Path | None, typer.Argument(help="A sentence a line, or id TAB sentence; .gz and .xz too.")
    ] = None,
    target: Annotated[Path | None, typer.Argument(help="The other language, likewise.")] = None,
    checkpoint: Annotated[str, _Option(help=options.MODEL)] = "",
    out: Annotated[Path, _Option(help="Where the pairs go: score, ids, sentences.")] = Path("pairs.tsv"),
    gold: Annotated[Path | None, _Option(help="Known pairs: source id TAB target id.")] = None,
    corpus: Annotated[str | None, _Option(help="Instead of files: bucc[/sample|training].")] = None,
    languages: Annotated[str | None, _Option(help="Of a corpus: its source, as zh.")] = None,
    data_dir: options.DataDir = None,
    source_language: Annotated[str | None, _Option(help="[default: the file's ending]")] = None,
    target_language: Annotated[str | None, _Option(help="[default: the file's ending]")] = None,
    layer: Annotated[
        str,
        _Option(
            help="auto (by the tune split's F1), all, last, 6.  [default: auto with gold, else last]"
        ),
    ] = "",
    pooling: options.Pooling = "mean",
    map_name: options.InSampleMaps = "none",
    map_fit: options.InSample = "",
    k: Annotated[int, _Option(help="Neighbours of a margin.", min=1)] = 4,
    margin: Annotated[str, _Option(help="ratio, distance, csls, absolute.")] = "ratio",
    strategy: Annotated[
        str, _Option(help="max (greedy, one to one), intersection, forward, backward, union.")
    ] = "max",
    protocol: Annotated[
        str, _Option(help="laser, xtreme, jiant, stopes: their k, margin, strategy, threshold.")
    ] = "",
    threshold: Annotated[
        float | None, _Option(help="Keep pairs of at least this score.  [default: tuned by best F1]")
    ] = None,
    tune_share: Annotated[
        float, _Option(help="Share of the source sentences to tune on; the others report.")
    ] = 0.5,
    folds: Annotated[int | None, _Option(help="Instead: so many folds, their counts pooled.")] = None,
    oracle: Annotated[
        bool, _Option("--oracle", help="Tune on what is reported: too good, and named so.")
    ] = False,
    errors: Annotated[
        Path | None, _Option(help="Write the missed gold pairs, and what was found instead.")
    ] = None,
    store: options.Store = None,
    no_store: options.NoStore = False,
    dtype: options.Dtype = "float32",
    max_length: options.MaxLength = None,
    prefix: options.Prefix = "",
    revision: options.Revision = None,
    device: options.Device = "auto",
    batch_tokens: options.BatchTokens = None,
    limit: options.Limit = None,
    seed: Annotated[int, _Option(help="Of the bootstrap.")] = 0,
) -> None:
    """Mine translation pairs from two files (or a corpus), best first.

    With gold the threshold (and the layer) is chosen on one part of the source sentences and precision,
    recall and F1 are reported on the other. All scores go into OUT.scores.parquet. After an interruption
    the same command goes on: vectors are kept.

    crosslingual mine news.de news.en --checkpoint MODEL --out pairs.tsv

    crosslingual mine --corpus bucc --languages zh --data-dir DATA --checkpoint MODEL --out pairs.tsv
    """
    from ..alignment.mine import mine as compute
    from ..alignment.run import write_parquet
    from ..data.corpora import load_haystack
    from ..data.haystack import read_haystack
    from .progress import configure_notes, progress
    from .tsv import write_tsv

    configure_notes()
    out.parent.mkdir(parents=True, exist_ok=True)  # an hour's work should not end at this
    if not checkpoint:
        raise ValueError("name a model by --checkpoint")
    if corpus is not None:
        if source is not None or gold is not None or languages is None:
            raise ValueError("--corpus takes --languages and no files; its gold comes with it")
        haystack = load_haystack(corpus, languages, data_dir=data_dir, limit=limit)
    elif source is None or target is None:
        raise ValueError("name two files, SOURCE and TARGET, or a --corpus")
    else:
        haystack = read_haystack(
            source, target, gold, languages=(source_language, target_language), limit=limit
        )
    model = options.opened(
        checkpoint,
        revision=revision,
        dtype=dtype,
        max_length=max_length,
        prefix=prefix,
        device=device,
    )
    with progress("encoding", "sentences") as encoded, progress("mining", "layers") as done:
        found = compute(
            model,
            haystack,
            store=store,
            keep=not no_store,
            budget=batch_tokens,
            progress=encoded,
            layer_done=done,
            layer=layer,
            pooling=pooling,
            map=map_name,
            map_fit=map_fit,
            k=k,
            margin=margin,
            strategy=strategy,
            protocol=protocol,
            threshold=threshold,
            tune_share=tune_share,
            folds=folds,
            oracle=oracle,
            seed=seed,
        )
    write_tsv(found.pairs, out)
    if haystack.gold is not None:
        table = out.with_name(f"{out.name}.scores.parquet")
        write_parquet(found.table, table)
        typer.echo(_summary(found))
        typer.echo(f"scores: {table}")
    if errors is not None:
        write_tsv(found.errors, errors)
        typer.echo(f"missed: {len(found.errors)} gold pairs in {errors}")
    typer.echo(
        f"pairs: {len(found.pairs)} in {out} (layer {found.layer}, score ≥ {found.threshold:.6g})"
    )


def _summary(found: "Mined") -> str:
    """Return a line a layer, then what was chosen and the thinned haystacks."""
    table = found.table
    first = table.iloc[0]
    oracle = "oracle_" if table["measure"].str.contains("oracle").any() else ""
    lines = [
        f"{first['corpus']}/{first['split']} {first['source']}-{first['target']}: {first['n']} source "
        f"sentences report, {first['candidates']} target sentences",
        f"{'layer':>5} {'P':>6} {'R':>6} {oracle.replace('_', ' ')}F1 {'95 % interval':>16} {'AP':>6} "
        f"{'P at R .9':>9} {'ceiling':>8}",
    ]
    for layer, part in table.groupby("layer", sort=True):
        rows = part.set_index("measure")
        f1 = rows.loc[f"mining_{oracle}f1"]
        lines.append(
            f"{layer:>5} {rows.loc[f'mining_{oracle}precision', 'value']:>6.3f} "
            f"{rows.loc[f'mining_{oracle}recall', 'value']:>6.3f} {f1['value']:.3f} "
            f"{_interval(f1):>16} {rows.loc['mining_average_precision', 'value']:>6.3f} "
            f"{rows.loc['mining_precision@recall0.9', 'value']:>9.3f} "
            f"{rows.loc['mining_recall_ceiling', 'value']:>8.3f}"
        )
    for name, what in (
        ("mining_auto_", "layer chosen too"),
        ("", "thinned to 1/2"),
        ("", "thinned to 1/4"),
    ):
        share = what[-4:].strip() if not name else ""
        wanted = f"{name or 'mining_'}{oracle}f1" + (f"@{share}" if share else "")
        for _, row in table[table["measure"] == wanted].iterrows():
            lines.append(f"{what}: layer {row['layer']}, F1 {row['value']:.3f} {_interval(row)}")
    if oracle:
        lines.append(
            "oracle: the threshold was chosen on the sentences it is judged on, so it is too good"
        )
    return "\n".join(lines)


def _interval(row: "pd.Series") -> str:
    return f"{row['low']:.3f} to {row['high']:.3f}" if row["low"] == row["low"] else ""
