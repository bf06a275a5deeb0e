"""Similarity of whole representations: CKA, CCA, Procrustes, k-NN overlap, neurons, RSA, isotropy.

`view` is one representation with its decompositions; a module per family of measures; `inference` turns
a value into an estimate with null, z, p and interval, and `estimators` does so for each measure.
"""
