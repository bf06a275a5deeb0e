"""`report`: runs in one HTML file that asks nothing of the network."""

import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ...alignment.measures import MEASURES
from ...alignment.options import takes
from ...alignment.runs.files import write_text
from ...alignment.runs.results import Result
from ...alignment.runs.table import headline
from .gathered import Gathered, gather, names_of
from .matrix import SIGNS, verdict_matrix
from .options import ReportOptions
from .payload import pack
from .training_logs import training_costs
from .words import answer, question

# what the page shows of a table, in its order
SHOWN = {
    "scores": "checkpoint revision family stage recipe train_seed parameters corpus split protocol "
    "source target layer pooling map measure direction value low high null surface random n note",
    "retention": "checkpoint base_checkpoint corpus split source target pooling map measure direction "
    "chosen layer base_layer value base null base_null surface n delta delta_low delta_high ratio "
    "ratio_low ratio_high log_odds log_odds_low log_odds_high area area_low area_high shift verdict "
    "note",
    "errors": "checkpoint query candidates pooling map layer id text translation found_id found margin "
    "rank",
}


@takes(ReportOptions)
def report(runs: Result | str | Path | Sequence[Result | str | Path], options: ReportOptions) -> Path:
    """Write runs as one HTML file: the answer in words, figures to look into, tables, how it was made.

    Nothing is fetched by it and nothing sent; it shows what the runs' tables have, to the last bit.

    Args:
        runs: results, or folders of `score`, `study`, `retention` or `efficiency`; one or several.

    Returns:
        The file.

    Raises:
        ValueError: a run with nothing to show; scores that are there twice; a damaged table.
        OSError: no run there; the file cannot be written.
    """
    several = [runs] if isinstance(runs, Result | str | Path) else list(runs)
    folders = [one.folder if isinstance(one, Result) else Path(one) for one in several]
    if not folders:
        raise ValueError("name a run, or several")
    out = Path(options.out) if options.out is not None else folders[0] / "report.html"
    if out.suffix != ".html":
        raise ValueError(f"`out` {out}: the name of a page ends in .html")
    found = gather(folders, options.errors)
    text = page(found, options.title)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_text(out, text)
    return out


def page(gathered: Gathered, title: str = "") -> str:
    """Return the text of a page.

    Args:
        gathered: what is in the runs.
        title: by default the names of the runs.
    """
    from jinja2 import Environment, StrictUndefined
    from plotly.offline import get_plotlyjs

    tables = {name: _shown(gathered.table(name), name) for name in SHOWN if name in gathered.tables}
    header, blob = pack(tables)
    drawn = tables.keys() & {"scores", "retention"}
    about = {
        "tables": header,
        "measures": _measures(tables),
        "first": _first(tables),
        "colours": {name: _colours(name) for name in ("rocket", "rocket_r", "vlag")},
    }
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters |= {"number": number, "json": _pretty}
    here = files(__package__)
    template = environment.from_string((here / "page.html").read_text("utf-8"))
    return template.render(
        title=title or names_of(gathered),
        question=question(gathered),
        answer=answer(gathered),
        matrix=verdict_matrix(gathered),
        signs=SIGNS,
        ratios=_records(gathered.table("ratios"), {"clock": "wall", "label": "all"}),
        checkpoints=_records(gathered.table("checkpoints")),
        languages=_records(gathered.table("languages")),
        training=[row for source in gathered.sources for row in training_costs(source.folder)],
        sources=gathered.sources,
        has=set(tables),
        header=json.dumps(about, ensure_ascii=False).replace("<", "\\u003c"),
        blob=blob,
        style=(here / "page.css").read_text("utf-8"),
        script=(here / "page.js").read_text("utf-8"),
        plotly=get_plotlyjs().replace("</script", "<\\/script") if drawn else "",
    )


def number(value: object, digits: int = 4) -> str:
    """Return a number as a page writes it; nothing where there is none.

    >>> number(0.25), number(float("nan")), number(1234567.0, 0)
    ('0.2500', '', '1,234,567')
    """
    if not isinstance(value, int | float | np.number) or pd.isna(value):
        return ""
    return f"{value:,.{digits}f}"


def _shown(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the columns that are shown, those that there are."""
    return table[[column for column in SHOWN[name].split() if column in table]]


def _measures(tables: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """Return what the page has to know of measures: which way is better, and the range."""
    named = {name for table in tables.values() if "measure" in table for name in table["measure"]}
    known = {name: MEASURES[name] for name in sorted(named) if name in MEASURES}
    return {
        name: {"better": 1 if one.higher_is_better else -1, "range": one.range, "null": one.null}
        for name, one in known.items()
    }


def _first(tables: dict[str, pd.DataFrame]) -> dict[str, str]:
    """Return what is shown before anything is chosen."""
    table = tables.get("scores", tables.get("retention"))
    if table is None:
        return {}
    measure, direction = headline(table)
    maps = list(dict.fromkeys(table["map"]))
    return {"measure": measure, "direction": direction, "map": "none" if "none" in maps else maps[0]}


def _colours(name: str) -> list[tuple[float, str]]:
    """Return a colour map of the figures, as the page's library takes it."""
    import seaborn

    return list(
        zip(np.linspace(0, 1, 17).tolist(), seaborn.color_palette(name, 17).as_hex(), strict=True)
    )


def _records(table: pd.DataFrame, of: dict[str, str] | None = None) -> list[dict[str, Any]]:
    for column, value in (of or {}).items():
        table = table[table[column] == value] if len(table) else table
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _pretty(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False)
