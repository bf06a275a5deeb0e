"""`functools.cached_property` without its lock.

Until Python 3.12 that lock is one for all instances of a class, so threads that decompose different
matrices would wait for each other. Here two threads that ask the same instance at once both compute.
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

Value = TypeVar("Value")


class lazy(Generic[Value]):
    """A property computed when first asked for, and kept in the instance."""

    def __init__(self, make: Callable[[Any], Value]) -> None:
        """Take the function of the instance."""
        self.make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        """Learn the name under which the value is kept."""
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> "lazy[Value]": ...
    @overload
    def __get__(self, instance: object, owner: type) -> Value: ...
    def __get__(self, instance: object, owner: type) -> "lazy[Value] | Value":
        """Return the value; the next time the instance has it as an attribute of its own."""
        if instance is None:
            return self
        value: Value = self.make(instance)
        instance.__dict__[self.name] = value
        return value
