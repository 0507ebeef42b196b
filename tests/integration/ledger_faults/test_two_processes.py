"""Two processes on one database, and one whose database dies: the shipped program, over HTTP."""

from collections.abc import Iterator

import pytest

from tests.integration.ledger_faults.dying import check_dying
from tests.integration.ledger_faults.two_processes import check_two_processes
from tests.services.lasting import Lasting
from tests.services.provided import provided

SEED = 20260610


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with provided("redis") as servers:
        yield servers["redis"].settings["REDIS_URL"]


def test_three_of_sixty_four_fit_whichever_process_is_asked(
    lasting: Lasting, redis_url: str
) -> None:
    check_two_processes(lasting.settings["MYSQL_URL"], redis_url, 3, SEED)


def test_a_database_that_dies_is_a_503_and_then_service_again(
    lasting: Lasting, redis_url: str
) -> None:
    found = check_dying(lasting, redis_url, 1)

    assert found["told 503"] > 0
