"""Key vault, tokens and rate limits."""
