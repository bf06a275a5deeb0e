"""`crosslingual list`: what there is."""

import typer

app = typer.Typer(no_args_is_help=True, help="List corpora, measures, poolings.")


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
def measures() -> None:
    """Measures: family, range, null, invariances, source."""
    from ..alignment.measures import MEASURES

    for measure in MEASURES.values():
        typer.echo(f"{measure.name}: {measure.family}, {measure.range}, null {measure.null}")
        typer.echo(f"  unchanged by {', '.join(sorted(measure.invariances))}; {measure.source}")


@app.command()
def poolings() -> None:
    """Poolings: how tokens become a vector."""
    from ..alignment.pooling import POOLINGS

    for name, pool in POOLINGS.items():
        typer.echo(f"{name}: {(pool.__doc__ or '').splitlines()[0]}")
    typer.echo("native: A sentence-transformers folder's own modules, at the last layer only.")
