"""One endpoint a path: it knows which methods the path has, and says so."""

from collections.abc import Iterable, Mapping

from starlette.routing import Route

from adapters.inbound.http.exchange import Send
from adapters.inbound.http.gate import Endpoint, Gate, Scope
from adapters.inbound.http.refusals import ProblemError
from adapters.inbound.http.request_body import Receive


class PathEndpoint:
    """Hands a request to the gate of its method."""

    def __init__(self, path: str, gates: Mapping[str, Gate]) -> None:
        self._path = path
        # HTTP wants HEAD wherever there is GET; the server leaves the body out.
        self._gates = {"HEAD": gates["GET"], **gates} if "GET" in gates else dict(gates)
        self._allow = ", ".join(sorted(self._gates)).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Answer, or refuse another method.

        Raises:
            ProblemError: `method-not-allowed`.
        """
        gate = self._gates.get(scope["method"])
        if gate is None:
            scope["credit.exchange"].route = self._path
            raise ProblemError("method-not-allowed", headers=((b"allow", self._allow),))
        await gate(scope, receive, send)


def routes_of(gates: Iterable[Gate]) -> list[Route]:
    """Return one route a path; fixed paths come first, so that no `{id}` hides them."""
    paths: dict[str, dict[str, Gate]] = {}
    for gate in gates:
        paths.setdefault(gate.operation.path, {})[gate.operation.method] = gate
    fixed_first = sorted(paths, key=lambda path: ("{" in path, path))
    return [Route(path, PathEndpoint(path, paths[path])) for path in fixed_first]


def fast_paths(gates: Iterable[Gate]) -> dict[tuple[str, str], Endpoint]:
    """Return the gates of fixed paths by method and path."""
    return {
        (gate.operation.method, gate.operation.path): gate
        for gate in gates
        if "{" not in gate.operation.path
    }
