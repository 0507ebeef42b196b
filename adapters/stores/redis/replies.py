"""The driver's parser, taught to read the replies of a whole batch in one call."""

from typing import Any

from redis._parsers.hiredis import NOT_ENOUGH_DATA, _AsyncHiredisParser


class Replies(_AsyncHiredisParser):
    """
    Reads as many replies as were announced; the driver's own call for each costs half a read.

    What arrived before a connection ended is kept in `arrived`. Error replies stand there as
    exceptions.
    """

    def __init__(self, socket_read_size: int) -> None:
        super().__init__(socket_read_size=socket_read_size)
        self._expected = 0
        self.arrived: list[Any] = []

    def expect(self, count: int) -> None:
        """Announce the replies of the next batch."""
        self._expected = count
        self.arrived = []

    async def read_response(
        self,
        disable_decoding: bool = False,  # noqa: FBT001, FBT002  the driver's signature
        push_request: bool = False,  # noqa: FBT001, FBT002  as above
    ) -> Any:
        """Return a list of the announced replies; one reply when none were, as when connecting."""
        if not self._expected:
            return await super().read_response(disable_decoding, push_request)
        count, self._expected = self._expected, 0
        arrived = self.arrived
        reader: Any = self._reader
        while len(arrived) < count:
            reply = reader.gets()
            if reply is NOT_ENOUGH_DATA:
                # The driver does not say that this returns nothing of use.
                await self.read_from_socket()  # type: ignore[no-untyped-call]
            else:
                arrived.append(reply)
        return arrived
