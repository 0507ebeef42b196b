"""Tests of breakers."""
