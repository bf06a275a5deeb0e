"""Attacks: every command is given bad inputs, every file of ours is damaged."""
