"""Making keyspace and table, for `creditctl stores prepare`; on AWS the infrastructure does it."""

from collections.abc import Callable

from cassandra.cluster import NoHostAvailable

from adapters.stores.keyspaces import schema
from adapters.stores.keyspaces.address import Address
from adapters.stores.keyspaces.errors import DRIVER_ERRORS, LOGIN, RIGHTS, LoginRefusedError
from adapters.stores.keyspaces.session import Limits, asking, connected, new_cluster
from domain.errors import TransientError
from domain.ports.time import Clock


def prepare(address: Address, clock: Clock, sleep: Callable[[float], None]) -> None:
    """
    Make what is missing; `sleep` waits for some seconds. Blocks.

    Raises:
        SettingsError: the login, its rights or the data centre do not fit.
        TransientError: the server is away, or has not finished in time.
    """
    cluster = new_cluster(address, Limits(), clock)
    try:
        (session,) = connected(cluster, address, 1)
        schema.create(asking(session), address.flavour, address.keyspace, sleep)
    except DRIVER_ERRORS as error:
        causes = list(error.errors.values()) if isinstance(error, NoHostAvailable) else [error]
        if any(isinstance(each, (*LOGIN, *RIGHTS)) for each in causes):
            raise LoginRefusedError(
                "the wide store refuses this login: correct CASSANDRA_USER, or let it make tables"
            ) from None
        raise TransientError(f"the wide store is away ({type(error).__name__})") from None
    finally:
        cluster.shutdown()
