"""Representations of sentences, and how well they align across languages."""
