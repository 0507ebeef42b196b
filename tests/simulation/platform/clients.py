"""Those outside: producers that put events, and clients that ask until they get an answer."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from decision_engine.commands import Recorded
from domain.errors import (
    AmbiguousError,
    ConflictError,
    CreditError,
    InvalidInputError,
    TransientError,
)
from domain.ports.time import Deadline
from tests.simulation.kernel.process import ProcessDownError
from tests.simulation.platform.plan import Ask, Put
from tests.simulation.platform.services import Api
from tests.simulation.platform.stores import Stores

PATIENCE_S: Final = 0.05
PUT_S: Final = 5.0
REUSED: Final = "idempotency-key-reused"


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of an ask: what was recorded, or None when the key belongs to another command."""

    ask: Ask
    recorded: Recorded | None


@dataclass(slots=True)
class Heard:
    """Everything that was said to those outside; `evasions` are errors that no caller can use."""

    answers: list[Answer] = field(default_factory=list)
    evasions: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Clients:
    """Asks through either API, the other one after each failure."""

    apis: Sequence[Api]
    heard: Heard

    async def ask(self, ask: Ask) -> Answer:
        """Ask until the answer is definite."""
        await asyncio.sleep(ask.after_s)
        number = ask.api
        while True:
            try:
                answer = Answer(ask, await self.apis[number % len(self.apis)].decide(ask))
            except (CreditError, ProcessDownError) as error:
                if _is_refusal(error):
                    answer = Answer(ask, None)
                    break
                self._note(ask, error)
                await asyncio.sleep(PATIENCE_S)
                number += 1
            else:
                break
        self.heard.answers.append(answer)
        return answer

    def _note(self, ask: Ask, error: Exception) -> None:
        usable = isinstance(error, TransientError | AmbiguousError | ProcessDownError)
        waits = isinstance(error, ConflictError) and error.code == "request-in-progress"
        if not (usable or waits):
            self.heard.evasions.append(f"{ask.key}: {type(error).__name__}: {error}")


def _is_refusal(error: Exception) -> bool:
    return isinstance(error, InvalidInputError) and error.code == REUSED


async def produce(put: Put, stores: Stores) -> None:
    """Put records until the stream has them."""
    await asyncio.sleep(put.after_s)
    while True:
        try:
            await stores.stream.put(put.records, Deadline.after(stores.clock, PUT_S))
        except (TransientError, AmbiguousError):
            await asyncio.sleep(PATIENCE_S)
        else:
            return
