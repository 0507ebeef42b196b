"""The tests: unit, contracts, simulation, integration, e2e."""
