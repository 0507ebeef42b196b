"""Histories of the platform under faults, each repeated exactly by its seed."""
