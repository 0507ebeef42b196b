"""Unwrapped person keys, bounded, shared by the event loop and the vault's thread."""

from collections import OrderedDict
from threading import Lock

from cryptography.hazmat.primitives.ciphers.aead import AESSIV


class KeyCache:
    """
    The ciphers used last, by person.

    Only the vault's thread puts and drops, right beside the statement that makes it true, so a
    destroyed key can never come back from here.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = Lock()
        self._ciphers: OrderedDict[str, AESSIV] = OrderedDict()

    def get(self, person_id: str) -> AESSIV | None:
        """Return the person's cipher if it is held."""
        with self._lock:
            cipher = self._ciphers.get(person_id)
            if cipher is not None:
                self._ciphers.move_to_end(person_id)
            return cipher

    def put(self, person_id: str, cipher: AESSIV) -> None:
        """Hold a cipher; the one used longest ago makes room."""
        with self._lock:
            self._ciphers[person_id] = cipher
            if len(self._ciphers) > self._size:
                self._ciphers.popitem(last=False)

    def drop(self, person_id: str) -> None:
        """Forget a person's cipher."""
        with self._lock:
            self._ciphers.pop(person_id, None)
