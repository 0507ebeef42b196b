"""Tests of the language of credit."""
