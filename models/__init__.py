"""The built-in family: how its encoders are made, from text that is listed here to the last number.

recipe → text → vocabulary → vectors (no training of an encoder) → encoder → pretraining
"""
