"""Making checkpoints: intermediate tasks, mixtures, controls."""
