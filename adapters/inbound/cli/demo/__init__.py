"""The demo: a real book of customers, and real applications, as events and requests."""
