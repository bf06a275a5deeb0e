"""Measure how well a multilingual model puts sentences that mean the same in the same place.

Nothing heavy is imported here: `crosslingual.data` reads corpora, `crosslingual.alignment` encodes
and scores them, `crosslingual.analysis` draws the result.
"""

__version__ = "0.1.0"
