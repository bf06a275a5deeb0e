"""Statistics that all measures share.

`intervals` has the bootstrap over groups, the jackknife and half-sampling; `nulls` the permutation null,
exactly; `centring` kernel matrices of zero row sums; `outcomes` what a measure of a pairing returns.
"""
