"""The stores, each alone: none knows another."""
