"""The command line, creditctl."""
