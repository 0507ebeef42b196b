"""What is said to a key that comes again when it cannot be answered with its reply."""

from domain.errors import ConflictError, InvalidInputError


def require_same_command(recorded_hash: str, command_hash: str) -> None:
    """
    Do nothing when a key comes again with the command it was first sent with.

    Raises:
        InvalidInputError: `idempotency-key-reused`.
    """
    if recorded_hash != command_hash:
        raise InvalidInputError(
            "this idempotency key belongs to another command", code="idempotency-key-reused"
        )


def in_progress() -> ConflictError:
    """Return the error of a key whose first request has not ended: `request-in-progress`."""
    return ConflictError(
        "the first request with this key is still in progress", code="request-in-progress"
    )
