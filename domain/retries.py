"""
What every kind of trying again keeps to: a pause by full jitter, and a budget that calls share.

https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
"""

from dataclasses import dataclass, field
from typing import Final

from domain.ports.time import Chance

RATIO: Final = 0.1
SAVED_MAX: Final = 10.0


@dataclass(slots=True)
class Budget:
    """
    Tokens for what is done beyond the calls asked for: each `earn` gives `ratio` of one.

    At most `saved_max` are saved, and as many are there at the start.
    """

    ratio: float = RATIO
    saved_max: float = SAVED_MAX
    _tokens: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        """Begin with what can be saved."""
        self._tokens = self.saved_max

    def earn(self) -> None:
        """Note a call."""
        self._tokens = min(self.saved_max, self._tokens + self.ratio)

    def spend(self) -> bool:
        """Take a token; return whether there was one."""
        # A tenth ten times is a little less than one.
        if self._tokens < 1.0 - 1e-9:
            return False
        self._tokens -= 1.0
        return True


def full_jitter(
    first_s: float, most_s: float, tries: int, chance: Chance, *, factor: float = 2.0
) -> float:
    """
    Return the pause, in seconds, after so many tries, counted from 1.

    It is drawn evenly from 0 to `first_s` * `factor` ** (tries - 1), at most `most_s`, so that
    callers that failed together do not come back together.
    """
    return float(min(most_s, first_s * factor ** (tries - 1)) * chance.uniform())
