"""Figures of scores: one helper a kind, tables in, a figure out."""
