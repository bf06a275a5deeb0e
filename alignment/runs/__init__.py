"""Runs: the folder of finished work, and what every kind of work shares.

`folder` is a run on disk; `table` the score table and its columns; `paths` says where things are kept;
`threads` divides the cores; `progress` reports how far the work is.
"""
