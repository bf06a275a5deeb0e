"""Checkpoints: weights and tokenizer at one point of training.

`checkpoint` finds and opens them the same way every time; `loading` reads weights, refusing what would
silently be wrong; `fingerprint` says what a checkpoint computes; `random_init` gives the same
architecture with untrained weights; `builtin` finds the models that come with the package.
"""
