"""The whole platform under simulation: decide, ingest and relay over the model stores."""
