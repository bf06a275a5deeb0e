"""Looking sentences up with FAISS.

`index` builds, saves and loads an index; `recall` measures what an approximate one misses; `lookup` does
both for the sentences of a file.
"""
