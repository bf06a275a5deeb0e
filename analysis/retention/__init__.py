"""What a fine-tuned checkpoint keeps of its base: differences, readings, verdicts, claims."""
