"""Wrappers that implement the port they wrap: deadline, retry, breaker, bulkhead."""
