"""Those outside: producers that put events, and clients that ask until they get an answer."""

import asyncio
import json
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
from tests.simulation.platform.events import text_of
from tests.simulation.platform.plan import Ask, Put
from tests.simulation.platform.services import Api
from tests.simulation.platform.stores import Stores

PATIENCE_S: Final = 0.05
#: A connection may have died unnoticed; the second or third try must do.
TRIES_MAX: Final = 3
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
    stores: Stores

    async def ask(self, ask: Ask) -> None:
        """Ask until the answer is definite."""
        await asyncio.sleep(ask.after_s)
        number = ask.api
        while (answer := await self._try(ask, number)) is None:
            await asyncio.sleep(PATIENCE_S)
            number += 1
        self._hear(answer)

    async def ask_one(self, ask: Ask) -> None:
        """Ask one API a few times, and note when it answers nothing although all is calm."""
        for _ in range(TRIES_MAX):
            answer = await self._try(ask, ask.api)
            if answer is not None:
                self._hear(answer)
                return
            await asyncio.sleep(PATIENCE_S)
        name = self.apis[ask.api % len(self.apis)].process.name
        self.heard.evasions.append(f"{ask.key}: {name} gives no answer in the calm")

    def _hear(self, answer: Answer) -> None:
        self.heard.answers.append(answer)
        ask = answer.ask
        self.stores.say(f"client of {ask.key}", f"{ask.command_hash}: {_shown(answer)}")

    async def _try(self, ask: Ask, number: int) -> Answer | None:
        try:
            return Answer(ask, await self.apis[number % len(self.apis)].decide(ask))
        except (CreditError, ProcessDownError) as error:
            if _is_refusal(error):
                return Answer(ask, None)
            self._note(ask, error)
            return None

    def _note(self, ask: Ask, error: Exception) -> None:
        self.stores.say(f"client of {ask.key}", f"{type(error).__name__}: {error}")
        usable = isinstance(error, TransientError | AmbiguousError | ProcessDownError)
        waits = isinstance(error, ConflictError) and error.code == "request-in-progress"
        if not (usable or waits):
            self.heard.evasions.append(f"{ask.key}: {type(error).__name__}: {error}")


def _is_refusal(error: Exception) -> bool:
    return isinstance(error, InvalidInputError) and error.code == REUSED


def _shown(answer: Answer) -> str:
    if answer.recorded is None:
        return "refused, another command has this key"
    outcome = json.loads(answer.recorded.reply)["outcome"]
    return f"{outcome}{' again' if answer.recorded.replayed else ''}"


async def produce(put: Put, stores: Stores) -> None:
    """Put records until the stream has them."""
    await asyncio.sleep(put.after_s)
    while True:
        try:
            await stores.stream.put(put.records, Deadline.after(stores.clock, PUT_S))
        except (TransientError, AmbiguousError):
            await asyncio.sleep(PATIENCE_S)
        else:
            stores.say("producer", f"put {', '.join(map(text_of, put.records))}")
            return
