"""Tests of gathering, assessing, deciding, replaying and reviewing."""
