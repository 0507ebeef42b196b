"""
A thin client of services that speak AWS JSON 1.0 or 1.1: DynamoDB, KMS, Kinesis.

aiobotocore costs 0.9 ms of CPU a call, this 0.1: the calls are known, so nothing is looked up,
checked against a model or turned into objects. It makes one attempt; `retrying.py` makes more.
"""

import asyncio
from asyncio import AbstractEventLoop
from typing import Final

from adapters.aws.credentials import CredentialSource
from adapters.aws.endpoint import Endpoint
from adapters.aws.errors import CredentialsRefusedError, ReplyLostError, service_error
from adapters.aws.pool import Limits, Pool
from adapters.aws.signing import Signer
from domain.errors import PermanentError, TransientError
from domain.ports.time import Clock, Deadline

LIMITS: Final = Limits()
OK: Final = 200


class JsonClient:
    """
    Calls one service. Event loops of several threads may share it; each has its own connections.

    Neither request nor reply is ever logged.
    """

    def __init__(
        self, endpoint: Endpoint, credentials: CredentialSource, *,
        clock: Clock, version: str = "1.0", limits: Limits = LIMITS,
    ) -> None:  # fmt: skip
        """
        Take the settings; the first call connects.

        Raises:
            PermanentError: the file of certificate authorities cannot be used.
        """
        self._endpoint, self._credentials = endpoint, credentials
        self._clock, self._limits = clock, limits
        self._signer = Signer(endpoint, version)
        try:
            self._context = endpoint.context()
        except OSError as error:
            raise PermanentError("the file of certificate authorities cannot be used") from error
        self._pools: dict[AbstractEventLoop, Pool] = {}
        self._closed = False

    @property
    def endpoint(self) -> Endpoint:
        """Where the calls go."""
        return self._endpoint

    async def call(self, target: str, payload: bytes, deadline: Deadline) -> bytes:
        """
        Ask once, for example `DynamoDB_20120810.GetItem`, and return the body of the reply.

        Raises:
            AwsRefusedError: the service will not do it (`service_code`, `status`, `body`);
                `CredentialsRefusedError` when it does not accept who asks.
            AwsThrottledError, AwsBusyError: nothing was done; ask again later.
            AwsFailedError, ReplyLostError: it may have been done (`AmbiguousError`).
            TransientError: nothing was sent: the service is away (`NotSentError`), too much waits
                (`ThrottledError`) or the time is used up (`DeadlineExceededError`).
            PermanentError: there are no credentials.
        """
        clock, pool = self._clock, self._pool()
        deadline.check(clock)
        keys = await self._credentials.get(deadline)
        connection = await pool.take(deadline)
        try:
            seconds = min(self._limits.attempt_s, deadline.remaining(clock))
            request = self._signer.request(keys, target, payload, clock.now())
            status, body = await connection.exchange(request, seconds)
        except ReplyLostError as error:
            if error.kept:
                pool.drop_idle()
            raise
        finally:
            pool.give_back(connection)
        if status == OK:
            return body
        answered = service_error(status, body)
        if isinstance(answered, CredentialsRefusedError) and answered.expired:
            self._credentials.forget(keys)
        raise answered

    async def close(self) -> None:
        """End every connection; another loop ends its own in its next turn, so close it later."""
        self._closed = True
        here = asyncio.get_running_loop()
        for loop, pool in list(self._pools.items()):
            if loop is here:
                pool.close()
            elif not loop.is_closed():
                loop.call_soon_threadsafe(pool.close)
        # The sockets are closed in the loop's next turn.
        await asyncio.sleep(0)

    def _pool(self) -> Pool:
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop)
        if pool is None:
            if self._closed:
                raise TransientError("the client is closed")
            pool = Pool(loop, self._endpoint, self._context, self._clock, self._limits)
            self._pools[loop] = pool
            # Other threads do the same for their loops meanwhile.
            for other in list(self._pools):
                if other.is_closed():
                    self._pools.pop(other, None)
        return pool
