"""Representations: the vectors of sentences, layer by layer, from a store or from given files.

`store` and its `shard`s keep every sentence that was encoded; `stored` encodes what is missing; `given`
reads vectors made elsewhere; `source` opens whichever a command names.
"""
