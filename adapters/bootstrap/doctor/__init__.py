"""What can be wrong with a machine, a folder and the servers; the same look for a start."""
