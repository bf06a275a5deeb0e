"""Alignment and task scores."""
