"""Encoding: texts to vectors, every layer and pooling from one forward pass.

`tokens` and `words` turn texts into token ids; `hidden_states` hands each layer on as it is produced;
`pooling` and `native` make one vector of a text's tokens; `encode` runs batches; `precision` measures
what computing below float32 costs.
"""
