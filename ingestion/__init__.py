"""Turn batches of events into truth and projections."""
