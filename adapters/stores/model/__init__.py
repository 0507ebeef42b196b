"""Simulated stores that interleave and fail statement by statement."""
