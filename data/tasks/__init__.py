"""Labelled tasks: `load_task` turns a name of `TASKS` into examples, from a folder or the hub."""

from .examples import KINDS as KINDS
from .examples import Choice as Choice
from .examples import Example as Example
from .examples import Pair as Pair
from .examples import Span as Span
from .examples import Tagged as Tagged
from .load import TaskData as TaskData
from .load import find_task as find_task
from .load import load_task as load_task
from .table import TASKS as TASKS
from .table import Task as Task
