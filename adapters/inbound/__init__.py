"""Ways in: HTTP, Lambda handlers, command line."""
