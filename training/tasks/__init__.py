"""What a task needs of a model: features of its texts, a head, predictions, metrics, an evaluation.

`features` turns examples into batches, `heads` holds the layers over the encoder, `prediction` decodes
what they say, `metrics` counts it, `evaluation` puts an interval around it. Nothing here trains.
"""
