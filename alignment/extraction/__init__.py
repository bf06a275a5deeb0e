"""Vectors to take away: `extracting` is the verb, `writing` the files, `extracted` what is read back."""
