"""Grids: one measure between layers, languages or checkpoints.

`comparing` is the entry; `grid_sides` says what the rows and columns of a grid are; `all_pairs` computes
the measure for every cell.
"""
