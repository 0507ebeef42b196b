"""
What becomes of the driver's errors: all are transient, because no cache may take a decision down.

`CacheRefusedError` tells apart what a person must correct. Only the class of an error is told: its
text may quote a key or the address.
"""

from typing import Final

from redis import exceptions

from domain.errors import DeadlineExceededError, ThrottledError, TransientError

WRONG_TYPE: Final = "WRONGTYPE"
#: What the server says first when the login, and not the network, is at fault.
LOGIN: Final = ("NOAUTH", "WRONGPASS", "ERR invalid password", "ERR AUTH", "ERR Client sent AUTH")


class CacheRefusedError(TransientError):
    """Redis answers, and will go on to refuse until somebody corrects the settings."""

    code = "cache-refused"


def translated(error: Exception) -> TransientError:
    """Return a fresh error of the port for what the driver raised or the server replied."""
    if isinstance(error, TransientError):
        return type(error)(str(error))
    if isinstance(error, TimeoutError | exceptions.TimeoutError):
        return DeadlineExceededError("the cache did not answer in time")
    if isinstance(error, exceptions.OutOfMemoryError):
        return ThrottledError("the cache's memory is full, and nothing in it may be dropped")
    return _refusal(error) or TransientError(f"the cache is away ({type(error).__name__})")


def _refusal(error: Exception) -> CacheRefusedError | None:
    text = str(error)
    if isinstance(error, exceptions.AuthenticationError) or text.startswith(LOGIN):
        return CacheRefusedError("Redis refuses the login: correct user and password in REDIS_URL")
    if isinstance(error, exceptions.NoPermissionError):
        return CacheRefusedError("Redis forbids the command: allow @read, @write, @scripting")
    if isinstance(error, exceptions.MovedError | exceptions.ClusterError):
        return CacheRefusedError(
            "REDIS_URL names a node of a cluster: begin it with redis+cluster:// or rediss+cluster://"
        )
    if "DB index" in text or text == "Invalid Database":
        return CacheRefusedError("Redis has no such database: correct the number in REDIS_URL")
    return None
