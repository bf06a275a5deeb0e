"""Read a table of the hub through `datasets` (native parquet, no scripts)."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from .rows import Columns


def configs(hub_id: str, revision: str | None = None) -> list[str]:
    """Return the configuration names of a dataset on the hub."""
    import datasets

    try:
        return list(datasets.get_dataset_config_names(hub_id, revision=revision))
    except Exception as error:  # the library raises dozens of kinds; all mean: not from the hub
        raise _unreachable(hub_id, error) from error


def languages(hub_id: str, split: str, revision: str | None = None) -> list[str]:
    """Return those columns of a dataset of one configuration that are languages, as deu_Latn.

    Raises:
        OSError: the dataset cannot be read.
    """
    names = _table(hub_id, None, split, revision).column_names
    return sorted(name for name in names if re.fullmatch(r"[a-z]{2,3}_[A-Z][a-z]{3}", name))


def rows(
    hub_id: str, config: str | None, split: str, columns: Sequence[str], revision: str | None = None
) -> list[Columns]:
    """Return the rows of one configuration and split, as dicts of the named columns.

    Class labels come as their names.

    Raises:
        OSError: the dataset cannot be read.
        ValueError: a column is missing; the message names those there are.
    """
    table = _table(hub_id, config, split, revision)
    missing = [column for column in columns if column not in table.column_names]
    if missing:
        raise ValueError(
            f"{hub_id} ({config or 'default'}): no column {missing[0]!r} among "
            f"{', '.join(table.column_names)}"
        )
    named = {column: _names(table.features[column]) for column in columns}
    return [
        {column: _named(value, named[column]) for column, value in row.items()}
        for row in table.select_columns(list(columns))
    ]


@lru_cache(maxsize=4)  # of one that has all languages, each is asked for
def _table(hub_id: str, config: str | None, split: str, revision: str | None) -> Any:
    import datasets

    try:
        return datasets.load_dataset(hub_id, config, split=split, revision=revision)
    except Exception as error:  # as above
        raise _unreachable(f"{hub_id} ({config or 'default'}, {split})", error) from error


def _names(feature: Any) -> Sequence[str]:
    """Return the names of a class label, or of a list of them."""
    return getattr(getattr(feature, "feature", feature), "names", None) or ()


def _named(value: Any, names: Sequence[str]) -> Any:
    if not names or value is None:
        return value
    if isinstance(value, list):
        return [_named(each, names) for each in value]
    return names[value] if 0 <= value < len(names) else value  # -1: no label


def _unreachable(what: str, error: Exception) -> OSError:
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return OSError(f"{what} cannot be read from the hub ({reason}); `data_dir` names a local copy")
