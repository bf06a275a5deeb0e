"""`crosslingual list`: what there is."""

import typer

app = typer.Typer(no_args_is_help=True, help="List corpora, tasks, measures, poolings, protocols.")


@app.command()
def corpora() -> None:
    """Corpora: languages, sentences, groups, licence, citation, what was verified."""
    from ..data import CORPORA

    for corpus in CORPORA.values():
        typer.echo(f"{corpus.name}: {corpus.title}")
        for label, text in (
            ("splits", ", ".join(corpus.splits)),
            ("languages", str(corpus.languages)),
            ("sentences", corpus.sentences),
            ("groups", corpus.groups),
            ("licence", corpus.licence),
            ("citation", corpus.citation),
            ("hub", corpus.hub or "none, built in"),
            ("verified", corpus.verified),
        ):
            typer.echo(f"  {label:<10} {text}")
    typer.echo("files: your own two line-aligned files, or a .tsv, .csv or .jsonl table")


@app.command()
def tasks() -> None:
    """Labelled tasks: kind, metric, head group, languages, licence, source, what was verified."""
    from ..data.tasks import TASKS

    for task in TASKS.values():
        typer.echo(f"{task.name}: {task.title}")
        for label, text in (
            ("kind", f"{task.kind} ({task.role}), head {task.head}, {task.metric}"),
            ("languages", task.languages),
            ("licence", task.licence),
            ("source", task.source),
            ("hub", task.hub.id if task.hub else ", ".join(task.parts) or "none, local files"),
            ("verified", task.verified),
        ):
            typer.echo(f"  {label:<10} {text}")


@app.command()
def measures() -> None:
    """Measures: family, range, null, invariances, source; * by default, + with grids."""
    from ..alignment.measures import MEASURES, default_measures

    default = {measure.name for measure in default_measures()}
    for measure in MEASURES.values():
        marks = ("*" if measure.name in default else "") + ("+" if measure.value else "")
        better = "" if measure.higher_is_better else ", lower is better"
        typer.echo(
            f"{measure.name}{marks}: {measure.family}, {measure.range}{better}, null {measure.null}"
        )
        typer.echo(f"  unchanged by {', '.join(sorted(measure.invariances))}; {measure.source}")
    typer.echo("* computed by default; + also in grids, by `crosslingual compare`")


@app.command()
def probes() -> None:
    """Tasks of `probe`."""
    from ..probes.tasks import PROBES

    for known in PROBES.values():
        typer.echo(f"{known.name}: {known.title}")


@app.command()
def poolings() -> None:
    """Poolings: how tokens become a vector."""
    from ..alignment.pooling import POOLINGS

    for name, pool in POOLINGS.items():
        typer.echo(f"{name}: {(pool.__doc__ or '').splitlines()[0]}")
    typer.echo("native: A sentence-transformers folder's own modules, at the last layer only.")


@app.command()
def protocols() -> None:
    """Protocols of `score` and `mine`: what they decide, how they differ, source."""
    from ..alignment.protocols import MINING_PROTOCOLS, PROTOCOLS

    typer.echo("score --protocol")
    for known in PROTOCOLS.values():
        layers = known.layers
        if not isinstance(layers, str):
            layers = ", ".join(f"{layer} of {blocks}" for blocks, layer in layers.items())
        typer.echo(
            f"{known.name}: layer {layers}; pooling {', '.join(known.poolings)}; {known.measures}, "
            f"{' and '.join(known.directions)}"
        )
        more = [f"at most {known.max_length} tokens"] if known.max_length else []
        more += [f"the first {known.limit} sentences"] if known.limit else []
        typer.echo(f"  {'; '.join([*more, f'for {known.stage} checkpoints', known.source])}")
        typer.echo(f"  differs: {known.differs}")
    typer.echo("mine --protocol")
    for one in MINING_PROTOCOLS.values():
        threshold = "tuned" if one.threshold is None else f"{one.threshold:g}"
        candidates = "all" if one.extract is None else str(one.extract)
        typer.echo(
            f"{one.name}: k {one.k}, margin {one.margin} of {candidates} of them, {one.strategy}, "
            f"threshold {threshold}"
        )
        typer.echo(f"  layer {one.layer}, pooling {one.pooling} (yours to set); {one.source}")
        typer.echo(f"  differs: {one.differs}")
