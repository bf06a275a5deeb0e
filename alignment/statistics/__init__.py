"""Statistics that all measures share.

`grouping` knows documents; `intervals` has what an interval is, and half-sampling, `bootstrap` and
`deletion` (the jackknife) the other ways to one; `nulls` the permutation null, exactly; `centring`
kernel matrices of zero row sums; `outcomes` what a measure of a pairing returns.
"""
