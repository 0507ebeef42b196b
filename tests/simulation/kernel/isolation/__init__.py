"""
What READ COMMITTED on InnoDB does and does not promise, as scripts of two or three sessions.

Each script says the same of the model and of a real server: that is what keeps the model honest.
The anomalies are in here too: code that relies on their absence must fail in the simulation.
"""
