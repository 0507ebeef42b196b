"""How a simulation itself can end badly."""


class SimulationError(Exception):
    """The simulation itself ended badly; base of the errors below."""


class StuckError(SimulationError):
    """Nothing is ready, no timer runs, and the main task is not done: a deadlock."""


class StepLimitError(SimulationError):
    """The bound on steps was reached: a busy loop, or a bound that is too low."""


class UnhandledTaskError(SimulationError):
    """A task or callback failed and nobody looked at its exception."""
