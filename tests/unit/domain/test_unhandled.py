"""What a caller is told of an error of the store of truth that its program did not handle."""

import pytest

from domain.errors import AmbiguousError, TransientError
from domain.ports.truth import PASSING, LostConnectionError, ServerError, TruthError, unhandled


@pytest.mark.parametrize("kind", PASSING)
def test_only_what_may_have_been_committed_is_ambiguous(kind: type[TruthError]) -> None:
    assert type(unhandled(kind("x"), committed=False)) is TransientError
    assert type(unhandled(kind("x"), committed=True)) is AmbiguousError


def test_what_a_program_is_to_blame_for_does_not_pass() -> None:
    assert not issubclass(ServerError, PASSING)
    assert issubclass(LostConnectionError, PASSING)
