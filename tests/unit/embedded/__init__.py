"""Tests of what a data folder keeps beside its stores."""
