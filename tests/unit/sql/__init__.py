"""The schema of truth: revisions and what they lead to, without a server."""
