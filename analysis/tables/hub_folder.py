"""A folder of results that the hub shows as a dataset: the scores, and a card that describes them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from ...alignment.checkpoints.errors import refusing
from ...alignment.drawing import short_name
from ...alignment.runs.table import with_keys
from ...data.languages import standard_tag
from ...data.text import read_text
from .layout import PaperTable
from .options import ExportOptions
from .writing import markdown

CARD = "README.md"
LARGEST = 1 << 24  # bytes of a provenance
SETTINGS = ("protocol", "prefix", "dtype", "max_length", "duplicates")


def hub_scores(scores: pd.DataFrame) -> pd.DataFrame:
    """Return scores whose checkpoints have no folders of this machine in their names.

    Args:
        scores: of runs.
    """
    local = scores["checkpoint"].map(lambda name: Path(name).is_absolute() or name.startswith("."))
    names = scores["checkpoint"].where(~local, scores["checkpoint"].map(short_name))
    return with_keys(scores.assign(checkpoint=names))


def versions_of(runs: Sequence[Path]) -> Mapping[str, str]:
    """Return the versions that runs were made with, as their folders say; nothing of bare tables.

    Args:
        runs: folders, or tables.

    Raises:
        ValueError: a damaged provenance.json.
    """
    found: dict[str, list[str]] = {}
    for path in (run / "provenance.json" for run in runs):
        if path.is_file():
            with refusing(path, "damaged"):
                known = json.loads(read_text(path, LARGEST))["versions"].items()
            for name, version in known:
                found.setdefault(name, []).append(str(version))
    return {name: " and ".join(dict.fromkeys(several)) for name, several in found.items()}


def hub_card(
    scores: pd.DataFrame, table: PaperTable, versions: Mapping[str, Any], options: ExportOptions
) -> str:
    """Return a dataset card: metadata of the hub, the table, how it was made, how it is read.

    Args:
        scores: of `hub_scores`.
        table: of them, for a paper.
        versions: of what the numbers depend on.
        options: of the table.
    """
    corpora = _values(scores, "corpus")
    languages = sorted({standard_tag(one) for one in [*scores["source"], *scores["target"]]})
    about = {
        "pretty_name": f"Cross-lingual alignment of {', '.join(_values(scores, 'checkpoint'))}",
        "language": languages,
        "tags": ["cross-lingual-alignment", "bitext-retrieval", *corpora],
        "configs": [{"config_name": "scores", "data_files": "scores.parquet"}],
    }
    settings = [f"{name}: {', '.join(_values(scores, name))}" for name in SETTINGS]
    made = "; ".join(one for one in settings if not one.endswith(": "))
    known = ", ".join(f"{name} {version}" for name, version in versions.items())
    return "\n".join(
        [
            "---",
            yaml.safe_dump(about, sort_keys=False, allow_unicode=True).rstrip(),
            "---",
            f"# {about['pretty_name']}",
            "",
            f"Scores on {', '.join(corpora)} by layer, language pair, pooling, map, measure and",
            "direction, with 95 % intervals (`low`, `high`), the score of randomly re-paired sentences",
            "(`null`) and that of character n-grams without a model (`surface`).",
            "",
            markdown(table, options),
            "```python",
            "import pandas",
            'scores = pandas.read_parquet("scores.parquet")',
            "```",
            "",
            f"Made by crosslingual: {made}." if made else "Made by crosslingual.",
            f"Versions: {known}." if known else "",
            "",
        ]
    )


def _values(scores: pd.DataFrame, column: str) -> Sequence[str]:
    return [str(one) for one in dict.fromkeys(scores[column].dropna()) if str(one)]
