"""Bitext mining: translation pairs out of two languages' sentences.

`mining` is the entry; `pairs` chooses pairs by margin; `evaluation` measures precision and recall with a
threshold chosen on other sentences; `rows` is what goes into the score table.
"""
