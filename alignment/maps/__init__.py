"""Maps: what is done to vectors before anything is measured.

`table` lists them; `linear` holds those that are fitted on translations (Procrustes, ridge); `fitting`
finds the held-out bitext that a map is fitted on.
"""
