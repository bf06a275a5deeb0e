"""Scoring: a checkpoint and a corpus in, the table of alignment scores out.

`scoring` is the entry; a cell is a bitext under one pooling and map (`bitext_cell`, `lexicon_cell`,
`strong_cell`); `rows` and `sentences` are what it leaves; `map_decomposition`, `layer_aggregates` and
`random_floor` are made of finished cells.
"""
