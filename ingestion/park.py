"""
Poison: a record that can never be applied as it is, set aside alone with its reason.

The payload is sealed under the customer's own person. Its id is made from the ciphertext, which
is the same each time and says nothing about the text, so a redelivered record is parked once.
"""

import base64
import hashlib
from dataclasses import dataclass
from typing import Final

from domain.errors import GoneError, InvalidInputError
from domain.identifiers import NAME, own_person
from domain.ports.keys import KeyVault
from domain.ports.stream import StreamRecord
from domain.ports.time import Deadline
from ingestion.statements import InboxRow, ParkedRow

#: The field under which the vault seals a parked payload.
PARKED_FIELD: Final = "parked"
PARKED_ID_LENGTH: Final = 36


@dataclass(frozen=True, slots=True)
class Poison:
    """A record that is refused; `detail` is a JSON pointer of ours, never a value."""

    record: StreamRecord
    reason: str
    detail: str = ""

    @classmethod
    def of(cls, record: StreamRecord, error: InvalidInputError) -> "Poison":
        """Return the record as refused by a reader."""
        for problem in error.problems:
            return cls(record, problem.code, problem.pointer)
        return cls(record, error.code)

    @property
    def customer_id(self) -> str:
        """The customer that a record belongs to, by its partition key."""
        return customer_of(self.record.partition_key)


@dataclass(frozen=True, slots=True)
class Parked:
    """A poison record ready to be stored: its row, without the instant."""

    parked_id: str
    customer_id: str
    reason: str
    detail: str
    sealed_payload: bytes

    def row(self, parked_us: int) -> ParkedRow:
        """Return the row to insert."""
        return ParkedRow(
            self.parked_id,
            self.customer_id,
            self.reason,
            self.detail,
            self.sealed_payload,
            parked_us,
        )

    def inbox_row(self) -> InboxRow:
        """Return what makes a second delivery known; it takes no place in any real stream."""
        body_hash = hashlib.sha256(self.sealed_payload).digest()
        stream_id = f"parked/{self.parked_id}"
        return InboxRow(self.parked_id, stream_id, 1, body_hash, self.customer_id)


def customer_of(partition_key: str) -> str:
    """Return the customer of a record; a key that no customer can have stands for itself alone."""
    if NAME.fullmatch(partition_key):
        return partition_key
    return f"invalid-key:{hashlib.sha256(partition_key.encode(errors='replace')).hexdigest()[:40]}"


async def seal_poison(poison: Poison, vault: KeyVault, deadline: Deadline) -> Parked:
    """
    Return the record ready to be parked.

    When the person's key is destroyed nothing of the payload may be kept: the place of the record
    in its stream is its id then.

    Raises:
        TransientError: the vault is away.
    """
    record = poison.record
    person_id = own_person(poison.customer_id)
    try:
        text = base64.b64encode(record.data).decode()
        sealed = (await vault.seal(person_id, PARKED_FIELD, text, deadline)).encode()
    except GoneError:
        sealed = b""
    name = sealed or f"{record.shard_id}:{record.sequence}".encode()
    parked_id = hashlib.sha256(name).hexdigest()[:PARKED_ID_LENGTH]
    return Parked(parked_id, poison.customer_id, poison.reason, poison.detail, sealed)


async def open_payload(
    customer_id: str, sealed_payload: bytes, vault: KeyVault, deadline: Deadline
) -> bytes:
    """
    Return the record's bytes as they came, for operators who show, edit or redrive it.

    Raises:
        GoneError, PermanentError, TransientError: as `KeyVault.open`.
    """
    sealed = sealed_payload.decode()
    text = await vault.open(own_person(customer_id), PARKED_FIELD, sealed, deadline)
    return base64.b64decode(text)
