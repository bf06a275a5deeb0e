"""The subcommands: a file each, heavy imports inside them.

A command reads its options, calls the function of the same name, and prints a summary. What it
computes is elsewhere.
"""
