"""The memory that n × n matrices take, and of how many sentences they may therefore be."""

import math

MEMORY = 4 * 10**9  # bytes of n × n matrices, where nobody asks for more or less
MATRICES = 14  # float64, of two views and what a measure makes of them, at the most
KEPT = 12  # of them a view comes to hold, if all measures leave theirs


def bytes_for(sentences: int) -> int:
    """Return the peak of a layer's similarity measures."""
    return 8 * MATRICES * sentences**2


def largest_for(memory: int) -> int:
    """Return how many sentences may have n × n matrices in so many bytes."""
    return math.isqrt(memory // (8 * MATRICES))


LARGEST = largest_for(MEMORY)
