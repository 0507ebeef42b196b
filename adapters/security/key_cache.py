"""Unwrapped person keys, bounded in number and age, shared by the event loop and threads."""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from domain.ports.time import Clock


@dataclass(frozen=True, slots=True)
class Look:
    """The moment before a key was read from its store."""

    at: float
    drops: int


class KeyCache:
    """
    The ciphers used last, by person, each for at most `fresh_s` seconds after it was read.

    A cipher that was read before any key was dropped is not put: it might be the dropped one. So a
    key that this process destroyed never comes back from here, and one that another process
    destroyed is forgotten in time.
    """

    def __init__(self, size: int, clock: Clock, fresh_s: float) -> None:
        self._size, self._clock, self._fresh_s = size, clock, fresh_s
        self._lock = Lock()
        self._drops = 0
        self._ciphers: OrderedDict[str, tuple[float, AESSIV]] = OrderedDict()

    def get(self, person_id: str) -> AESSIV | None:
        """Return the person's cipher if it is held and fresh."""
        with self._lock:
            held = self._ciphers.get(person_id)
            if held is None:
                return None
            if self._clock.monotonic() - held[0] >= self._fresh_s:
                del self._ciphers[person_id]
                return None
            self._ciphers.move_to_end(person_id)
            return held[1]

    def look(self) -> Look:
        """Note the moment; take it before reading what `put` is given."""
        with self._lock:
            return Look(self._clock.monotonic(), self._drops)

    def put(self, person_id: str, cipher: AESSIV, look: Look) -> None:
        """Hold a cipher; the one used longest ago makes room."""
        with self._lock:
            if look.drops != self._drops:
                return
            self._ciphers[person_id] = (look.at, cipher)
            self._ciphers.move_to_end(person_id)
            if len(self._ciphers) > self._size:
                self._ciphers.popitem(last=False)

    def drop(self, person_id: str) -> None:
        """Forget a person's cipher, and whatever was read until now and is not put yet."""
        with self._lock:
            self._drops += 1
            self._ciphers.pop(person_id, None)
