"""
Who asks: keys from a setting, or from wherever the AWS SDK finds them.

`ChainCredentials` leaves the finding to botocore (environment, profile, container, instance) in a
thread, and keeps what it found for a minute: botocore renews keys ten minutes before their end.
"""

import asyncio
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final, Protocol

from domain.errors import DeadlineExceededError, PermanentError, TransientError
from domain.ports.time import Clock, Deadline

KEEP_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Credentials:
    """One set of keys that belong together; `repr` shows none of them."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """
        Refuse what cannot stand in a header.

        Raises:
            PermanentError: a key is empty, or has a character that no key has.
        """
        for key in (self.access_key, self.secret_key, self.token or "none"):
            if not (key.isascii() and key.isprintable() and key.strip() == key and key):
                raise PermanentError("the AWS credentials are not keys: correct where they are set")


class CredentialSource(Protocol):
    """Where credentials come from; safe to ask from several event loops."""

    async def get(self, deadline: Deadline) -> Credentials:
        """
        Return keys that belong together.

        Raises:
            PermanentError: there are none.
            TransientError: they cannot be had now.
        """

    def forget(self, refused: Credentials) -> None:
        """Keep these no longer: a service says that they have expired."""


@dataclass(frozen=True, slots=True)
class FixedCredentials:
    """Keys from a setting."""

    credentials: Credentials

    async def get(self, deadline: Deadline) -> Credentials:  # noqa: ARG002  they are here
        """Return them."""
        return self.credentials

    def forget(self, refused: Credentials) -> None:
        """Nothing: there are no others."""


class ChainCredentials:
    """Keys from wherever the AWS SDK finds them, renewed before they end."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._found: Any = None
        self._kept: Credentials | None = None
        self._until = 0.0

    async def get(self, deadline: Deadline) -> Credentials:
        """Return what is kept, or look again; raises as `CredentialSource.get`."""
        kept = self._kept
        if kept is not None and self._clock.monotonic() < self._until:
            return kept
        left = deadline.remaining(self._clock)
        try:
            async with asyncio.timeout(None if left == float("inf") else left):
                return await asyncio.to_thread(self._look)
        except TimeoutError:
            raise DeadlineExceededError("AWS credentials did not come in time") from None

    def forget(self, refused: Credentials) -> None:
        """Look again at the next call, unless others were found meanwhile."""
        with self._lock:
            if self._kept == refused:
                self._kept = self._found = None

    def _look(self) -> Credentials:
        # botocore takes a tenth of a second to import: only who needs it pays.
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415
        from botocore.session import get_session  # noqa: PLC0415

        with self._lock:
            if self._kept is not None and self._clock.monotonic() < self._until:
                return self._kept
            try:
                self._found = self._found or get_session().get_credentials()
                frozen = self._found and self._found.get_frozen_credentials()
            except BotoCoreError as error:
                name = type(error).__name__
                raise TransientError(f"AWS credentials cannot be had now ({name})") from None
            if not frozen:
                raise PermanentError("there are no AWS credentials: give the task a role, or keys")
            self._kept = Credentials(frozen.access_key, frozen.secret_key, frozen.token or "")
            self._until = self._clock.monotonic() + KEEP_S
            return self._kept
