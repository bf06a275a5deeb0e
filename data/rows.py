"""Rows: what files and tables hold, by the name of the column."""

from collections.abc import Mapping
from typing import Any

Row = Mapping[str, Any]  # as read
Columns = dict[str, Any]  # as made; a value of any type that a table or JSON has
