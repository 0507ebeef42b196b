"""The only place that wires; one readable function per entry point."""
