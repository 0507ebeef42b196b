"""Person keys: what makes a direct identifier readable, and what erasure destroys."""

from typing import Protocol

from domain.ports.time import Deadline


class KeyVault(Protocol):
    """
    One data key per person, wrapped at rest.

    Deterministic use: the same person, field, version and text give the same ciphertext, so that
    redelivery gives equal bytes in every store.
    """

    async def seal(self, person_id: str, field: str, text: str, deadline: Deadline) -> str:
        """
        Encrypt one field of a person; the key is made at first use (put if absent).

        Raises:
            GoneError: the person's key has been destroyed, which is final.
            TransientError: the vault is away.
        """

    async def open(self, person_id: str, field: str, sealed: str, deadline: Deadline) -> str:
        """
        Decrypt what `seal` returned.

        Raises:
            GoneError: the key has been destroyed.
            PermanentError: the text was not sealed for this person and field.
            TransientError: the vault is away.
        """

    async def destroy(self, person_id: str, deadline: Deadline) -> None:
        """Destroy the key for good; doing it again changes nothing."""

    async def person_index(self, cpf_digits: str, deadline: Deadline) -> str:
        """
        Return the blind index by which the person of a CPF is known, once and for ever.

        It is the one that was current when the CPF was first met; for a new CPF that is now. The
        same CPF gives the same index everywhere, also while processes begin to use another key,
        and after the person's key was destroyed.

        Raises:
            TransientError: the vault is away.
        """

    def blind_index(self, cpf_digits: str) -> str:
        """Return `<key version>:<hex>`, an HMAC-SHA-256 of the CPF under the current index key."""
