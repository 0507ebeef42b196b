"""Prices of loans: schedules, plans, IOF, CET, rates by risk, affordability, counter-offers."""
