"""What inference costs: latency, throughput and memory of checkpoints, language by language."""
