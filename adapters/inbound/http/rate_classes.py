"""Which limit counts for a route: classes, so that one kind of work does not starve another."""

from collections.abc import Mapping
from typing import Final

from adapters.inbound.http.operation import Operation
from adapters.security.rate_limits import RateClass

#: ADMIN changes how the platform works, or costs a core for seconds.
BY_SCOPE: Final[Mapping[str, RateClass]] = {
    "events:write": RateClass.EVENTS,
    "policies:write": RateClass.ADMIN,
    "policies:approve": RateClass.ADMIN,
    "operations": RateClass.ADMIN,
    "privacy": RateClass.ADMIN,
}


def rate_class_of(operation: Operation) -> RateClass | None:
    """Return the class; None for a route that asks for no token, as health checks are."""
    if operation.scope is None:
        return None
    other = RateClass.READS if operation.method == "GET" else RateClass.DECISIONS
    return BY_SCOPE.get(operation.scope, other)
