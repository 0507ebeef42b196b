"""One suite a port: the promises that every adapter of it keeps."""
