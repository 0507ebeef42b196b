"""Programs of the repository itself: install, check, test, prove."""
