from collections.abc import Iterator

import pytest

from tests.integration.http.live import Live, live_server


@pytest.fixture(scope="session")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live_server(tmp_path_factory.mktemp("keys")) as live:
        yield live


@pytest.fixture
def live(_server: Live) -> Live:
    _server.forget()
    return _server
