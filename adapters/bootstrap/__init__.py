"""The only place that wires; one readable function per entry point."""

from adapters.canonical_writer import use_fast_writer

# Before anything is written: whatever starts the platform comes through here.
use_fast_writer()
