"""Person keys made and unwrapped by AWS KMS, each bound to its person."""

from typing import Any, Final, Protocol, TypeVar

import msgspec

from adapters.aws.errors import AwsRefusedError, CredentialsRefusedError
from adapters.security.sealing import PERSON_KEY_BITS
from adapters.security.wrapped_keys import WrappedKey
from domain.errors import PermanentError, TransientError
from domain.ports.time import Deadline

S = TypeVar("S", bound=msgspec.Struct)

TARGET: Final = "TrentService."
#: The key was wrapped by another key, for another person, or is damaged.
FOREIGN: Final = frozenset({"IncorrectKeyException", "InvalidCiphertextException"})
SYMMETRIC: Final = ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "Enabled")


class Calls(Protocol):
    """What is asked of a client of AWS (`adapters.aws.retrying.Retrying` is one)."""

    async def call(self, target: str, payload: bytes, deadline: Deadline) -> bytes:
        """Send a request of an operation, again while that may help; return the reply's body."""


class _Made(msgspec.Struct, rename="pascal"):
    key_id: str
    ciphertext_blob: bytes
    plaintext: bytes


class _Opened(msgspec.Struct, rename="pascal"):
    plaintext: bytes


class _Described(msgspec.Struct, rename="pascal"):
    key_spec: str
    key_usage: str
    key_state: str


class _Description(msgspec.Struct, rename="pascal"):
    key_metadata: _Described


class KmsKeys:
    """
    A KMS key that wraps person keys; each row names the key that unwraps it.

    So another key may be put into the setting at any time, while the role may still decrypt with
    those before. A wrapped key opens for its person only: the id is KMS' encryption context. That
    stands in CloudTrail in clear, so it must be no identifier; a person's id is a pseudonym.
    """

    def __init__(self, calls: Calls, key_id: str) -> None:
        """Take the key's ARN, id or alias."""
        self._calls, self._key_id = calls, key_id

    async def make(self, person_id: str, deadline: Deadline) -> tuple[bytes, WrappedKey]:
        """Return a fresh key, in clear and wrapped."""
        fields = {"NumberOfBytes": PERSON_KEY_BITS // 8, "KeyId": self._key_id}
        made = _read(await self._ask("GenerateDataKey", person_id, fields, deadline), _Made)
        return made.plaintext, WrappedKey(made.key_id, made.ciphertext_blob)

    async def unwrap(
        self, person_id: str, key_id: str, wrapped: bytes, deadline: Deadline
    ) -> bytes:
        """
        Return the key in clear.

        Raises:
            PermanentError: the key was wrapped by another key, for another person, or is damaged.
        """
        fields = {"CiphertextBlob": wrapped, "KeyId": key_id}
        try:
            return _read(await self._ask("Decrypt", person_id, fields, deadline), _Opened).plaintext
        except AwsRefusedError as error:
            if error.service_code not in FOREIGN:
                raise
            raise PermanentError("a wrapped key is not of this KMS key and person") from None

    async def check(self, deadline: Deadline) -> None:
        """
        Ask KMS whether the key is what it has to be.

        Raises:
            PermanentError: it is not there, not enabled, or of another kind.
        """
        payload = msgspec.json.encode({"KeyId": self._key_id})
        try:
            body = await self._calls.call(TARGET + "DescribeKey", payload, deadline)
        except CredentialsRefusedError:
            raise
        except AwsRefusedError as error:
            raise PermanentError(
                f"KMS does not give the key ({error.service_code}): correct KMS_KEY_ID,"
                " the region or the role's rights"
            ) from None
        found = _read(body, _Description).key_metadata
        if (found.key_spec, found.key_usage, found.key_state) != SYMMETRIC:
            raise PermanentError("the key in KMS_KEY_ID is no enabled symmetric key")

    async def _ask(
        self, operation: str, person_id: str, fields: dict[str, Any], deadline: Deadline
    ) -> bytes:
        payload = {**fields, "EncryptionContext": {"person": person_id}}
        return await self._calls.call(TARGET + operation, msgspec.json.encode(payload), deadline)


def _read(body: bytes, kind: type[S]) -> S:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError:
        # What it quotes may be a key, so the cause is left out.
        raise TransientError("what answered is not KMS") from None
