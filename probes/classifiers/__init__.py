"""What a probe is: classifiers solved to a certified optimum, and how they are judged without data.

`families` names them (linear, ridge, mlp); `linear` and `lbfgs` solve, `scaler` standardises,
`structural` is the probe of trees, `codelength` the online code. Nothing here knows of checkpoints or
corpora.
"""
