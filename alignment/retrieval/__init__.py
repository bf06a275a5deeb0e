"""Retrieval measures: is a sentence's translation what its vector finds?

`pairing` is what they are all computed from; `one_to_one` has accuracy, MRR and their relatives;
`many_to_many` those of lexicons; `strong` those with all languages as candidates; `cosine_contrast` and
`hubs` say how far translations stand out, and whether a few sentences answer every query.
"""
