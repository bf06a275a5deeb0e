"""`crosslingual list`: what there is."""

from collections.abc import Iterable
from typing import Annotated

import typer

from ...data.rows import Row
from ..messages import say

app = typer.Typer(no_args_is_help=True, help="List corpora, tasks, families, measures, …")
Json = Annotated[bool, typer.Option("--json", help="For machines: a JSON object a line.")]


def _show(rows: Iterable[Row], as_json: bool) -> None:
    """Print what is known of entries: as JSON lines, or a block each."""
    import json

    for row in rows:
        if as_json:
            say(json.dumps(row, ensure_ascii=False))
            continue
        say(f"{row['name']}: {row['title']}")
        for label, value in row.items():
            if label not in ("name", "title"):
                say(f"  {label:<10} {', '.join(value) if isinstance(value, list) else value}")


@app.command()
def corpora(as_json: Json = False) -> None:
    """Corpora: languages, sentences, groups, licence, citation, what was verified."""
    from ...data.corpora import CORPORA, HAYSTACKS

    _show(
        (
            {
                "name": corpus.name,
                "title": corpus.title,
                "splits": list(corpus.splits),
                "languages": corpus.languages,
                "sentences": corpus.sentences,
                "groups": corpus.groups,
                "licence": corpus.licence,
                "citation": corpus.citation,
                "hub": corpus.hub or "none",
                "verified": corpus.verified,
            }
            for corpus in (*CORPORA.values(), *HAYSTACKS.values())
        ),
        as_json,
    )
    if not as_json:
        say("files: your own two line-aligned files, or a .tsv, .csv or .jsonl table")


@app.command()
def families(as_json: Json = False) -> None:
    """Families of models: scales, parameters, norms, objective, what was verified."""
    from dataclasses import asdict

    from ...alignment.checkpoints.families import FAMILIES

    if as_json:
        for family in FAMILIES.values():
            common = asdict(family) | {"family": family.name}
            del common["members"], common["name"]
            members = (asdict(member) | {"name": member.id} for member in family.members)
            _show((common | member for member in members), as_json)
        return
    for family in FAMILIES.values():
        say(f"{family.name}: {family.title}; {family.objective}, pooling {family.pooling}")
        say(f"  languages  {family.languages}; up to {family.longest:,} tokens; {family.verified}")
        for member in family.members:
            body = "?" if member.parameters_body is None else f"{member.parameters_body / 1e6:,.1f} M"
            shape = " × ".join("?" if one is None else str(one) for one in (member.blocks, member.dim))
            more = [f"norm {member.norm}"]
            more += [f"prompt {member.prompt!r}"] * bool(member.prompt)
            more += ["gated"] * member.gated + ["pickles only"] * (member.safetensors is False)
            more += [member.note] * bool(member.note)
            say(f"  {member.id}: {shape}, {member.parameters / 1e6:,.1f} M ({body}), {', '.join(more)}")
    say("parameters, and in brackets those of the body: without embeddings of tokens")
    say("all scales in one table: crosslingual score family:NAME")


@app.command()
def hub(as_json: Json = False) -> None:
    """What is on the hub: ids of corpora, tasks and models, and what each was checked against."""
    from ...alignment.checkpoints.families import FAMILIES
    from ...data.corpora import CORPORA, HAYSTACKS
    from ...data.tasks import TASKS

    rows: list[tuple[str, str, str, str]] = [
        ("corpus", corpus.name, corpus.hub, corpus.verified)
        for corpus in (*CORPORA.values(), *HAYSTACKS.values())
        if corpus.hub
    ]
    rows += [("task", task.name, task.hub.id, task.verified) for task in TASKS.values() if task.hub]
    rows += [
        ("model", family.name, member.id, family.verified)
        for family in FAMILIES.values()
        for member in family.members
        if "/" in member.id
    ]
    keys = ("title", "of", "name", "checked")
    _show((dict(zip(keys, row, strict=True)) for row in rows), as_json)


@app.command()
def tasks(as_json: Json = False) -> None:
    """Labelled tasks: kind, metric, head group, languages, licence, source, what was verified."""
    from ...data.tasks import TASKS

    _show(
        (
            {
                "name": task.name,
                "title": task.title,
                "kind": f"{task.kind} ({task.role}), head {task.head}, {task.metric}",
                "languages": task.languages,
                "licence": task.licence,
                "source": task.source,
                "hub": task.hub.id if task.hub else ", ".join(task.parts) or "none, local files",
                "verified": task.verified,
            }
            for task in TASKS.values()
        ),
        as_json,
    )


@app.command()
def measures(as_json: Json = False) -> None:
    """Measures: family, range, null, invariances, source; * by default, + with grids."""
    from ...alignment.measures import MEASURES

    default = {measure.name for measure in MEASURES.defaults()}
    rows = [
        {
            "name": measure.name,
            "family": measure.family,
            "range": measure.range,
            "null": measure.null,
            "higher_is_better": measure.higher_is_better,
            "default": measure.name in default,
            "grid": measure.value is not None,
            "many_to_many": measure.gold is not None,
            "parameter": _parameter(measure.name, MEASURES.parameters),
            "unchanged_by": sorted(measure.invariances),
            "source": measure.source,
        }
        for measure in MEASURES.values()
    ]
    if as_json:
        _show(rows, as_json)
        return
    for row in rows:
        marks = "*" * bool(row["default"]) + "+" * bool(row["grid"])
        better = "" if row["higher_is_better"] else ", lower is better"
        say(f"{row['name']}{marks}: {row['family']}, {row['range']}{better}, null {row['null']}")
        invariances = ", ".join(sorted(MEASURES[str(row["name"])].invariances))
        say(f"  unchanged by {invariances}; {row['source']}")
    say("* computed by default; + also in grids, by `crosslingual compare`")
    stems = ", ".join(f"{stem}@{known.symbol}" for stem, known in MEASURES.parameters.items())
    say(f"for any number: {stems}")


def _parameter(name: str, parameters: Row) -> str:
    stem = name.partition("@")[0]
    return parameters[stem].symbol if "@" in name and stem in parameters else ""


@app.command()
def probes(as_json: Json = False) -> None:
    """Tasks of `probe`."""
    from ...probes.tasks import PROBES

    _show(({"name": known.name, "title": known.title} for known in PROBES.values()), as_json)


@app.command()
def poolings(as_json: Json = False) -> None:
    """Poolings: how tokens become a vector."""
    from ...alignment.encoding.pooling import POOLINGS

    rows = [{"name": n, "title": (pool.__doc__ or "").splitlines()[0]} for n, pool in POOLINGS.items()]
    native = "A sentence-transformers folder's own modules, at the last layer only."
    _show([*rows, {"name": "native", "title": native}], as_json)


@app.command()
def protocols(as_json: Json = False) -> None:
    """Protocols of `score` and `mine`: what they decide, how they differ, source."""
    from dataclasses import asdict

    from ...alignment.protocols import MINING_PROTOCOLS, PROTOCOLS

    if as_json:
        for command, table in (("score", PROTOCOLS), ("mine", MINING_PROTOCOLS)):
            _show(({"command": command, **asdict(known)} for known in table.values()), as_json)
        return
    say("score --protocol")
    for known in PROTOCOLS.values():
        layers = known.layers
        if not isinstance(layers, str):
            layers = ", ".join(f"{layer} of {blocks}" for blocks, layer in layers.items())
        say(
            f"{known.name}: layer {layers}; pooling {', '.join(known.poolings)}; {known.measures}, "
            f"{' and '.join(known.directions)}"
        )
        more = [f"at most {known.max_length} tokens"] if known.max_length else []
        more += [f"the first {known.limit} sentences"] if known.limit else []
        say(f"  {'; '.join([*more, f'for {known.stage} checkpoints', known.source])}")
        say(f"  differs: {known.differs}")
    say("mine --protocol")
    for one in MINING_PROTOCOLS.values():
        threshold = "tuned" if one.threshold is None else f"{one.threshold:g}"
        candidates = "all" if one.extract is None else str(one.extract)
        say(
            f"{one.name}: k {one.k}, margin {one.margin} of {candidates} of them, {one.strategy}, "
            f"threshold {threshold}"
        )
        say(f"  layer {one.layer}, pooling {one.pooling} (yours to set); {one.source}")
        say(f"  differs: {one.differs}")
