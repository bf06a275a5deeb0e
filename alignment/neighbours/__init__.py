"""Nearest neighbours across two languages: both directions from one pass, exact by definition.

`exact` is the entry; `unit_vectors` defines a similarity; `product` computes blocks of them with a
certified error bound; `candidates` selects by that bound; `gold_ranks` ranks the right answers;
`brute_force` searches the queries that no bound can settle.
"""
