"""`creditctl events …`: events from a file to the platform, for producers without a stream."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import click

from adapters.inbound.cli.client import Api, Request, path_of
from adapters.inbound.cli.failures import ExitCode, Failure, NotReachable
from adapters.inbound.cli.files import text_lines
from adapters.inbound.cli.options import STREAM, json_option, with_api
from adapters.inbound.cli.output import Output, Page
from adapters.inbound.cli.wording import count
from domain.errors import InvalidInputError
from ingestion.decode import decode

#: The limits of one request, with room for what stands around the events.
EVENTS_MAX: Final = 500
BYTES_MAX: Final = 1024 * 1024 - 1024
#: All refusals are counted; this many are told.
REFUSALS_MAX: Final = 1000
#: Once the platform has answered, a batch is tried again: events that are known change nothing.
PATIENCE_SECONDS: Final = 30
ANSWERS: Final = "results"

Numbered = tuple[int, bytes]


@dataclass(slots=True)
class Tally:
    """What became of the events so far; a refusal names line, event id and reason."""

    accepted: int = 0
    refused: int = 0
    refusals: list[dict[str, Any]] = field(default_factory=list)

    def add(self, batch: Sequence[Numbered], answers: Sequence[dict[str, Any]]) -> None:
        """Count the answers to a batch."""
        for (line, _), answer in zip(batch, answers, strict=True):
            if answer.get("status") == "accepted":
                self.accepted += 1
            else:
                rest = {name: value for name, value in answer.items() if name != "status"}
                self.refuse({"line": line, **rest})

    def refuse(self, refusal: dict[str, Any]) -> None:
        """Count a refusal."""
        self.refused += 1
        if len(self.refusals) < REFUSALS_MAX:
            self.refusals.append(refusal)

    def document(self) -> dict[str, Any]:
        """Return the result of the command."""
        told = sorted(self.refusals, key=lambda refusal: int(refusal["line"]))
        return {"accepted": self.accepted, "refused": self.refused, "refusals": told}


@click.group()
def events() -> None:
    """Send events about customers."""


@events.command()
@click.argument("file", type=STREAM)
@with_api
@json_option
def send(api: Api, output: Output, *, file: Path) -> ExitCode:
    """
    Send the events of an NDJSON FILE, one envelope a line; `-` reads standard input.

    An accepted event is durable. Sending a file again is harmless: event ids are the key. Exit
    code 1 when at least one event was refused.
    """
    tally = Tally()
    for batch in _batches(_readable(file, tally)):
        try:
            tally.add(batch, _answers(api, batch, PATIENCE_SECONDS if tally.accepted else 0))
        except Failure as failure:
            raise _told(failure, tally, batch[0][0]) from None
        output.note(f"{count(tally.accepted, 'event')} accepted, {tally.refused:,} refused so far")
    output.show(tally.document(), lambda page: _write(page, tally))
    return ExitCode.FOUND_WRONG if tally.refused else ExitCode.DONE


def _told(failure: Failure, tally: Tally, line: int) -> Failure:
    if not tally.accepted:
        return failure
    return failure.after(f"{count(tally.accepted, 'event')} accepted before line {line:,}.")


def _readable(file: Path, tally: Tally) -> Iterator[Numbered]:
    """Yield the lines that hold one JSON value; the others are refused without being sent."""
    for number, line in text_lines(file):
        try:
            decode(line.strip())
        except InvalidInputError as error:
            fault = error.problems[0]
            shown = {"pointer": fault.pointer, "code": fault.code, "detail": fault.detail}
            refusal = {"line": number, "event_id": None, "reason": fault.code, "errors": [shown]}
            tally.refuse(refusal)
        else:
            yield number, line.strip()


def _batches(lines: Iterator[Numbered]) -> Iterator[list[Numbered]]:
    batch: list[Numbered] = []
    size = 0
    for number, line in lines:
        if batch and (len(batch) == EVENTS_MAX or size + len(line) + 1 > BYTES_MAX):
            yield batch
            batch, size = [], 0
        batch.append((number, line))
        size += len(line) + 1
    if batch:
        yield batch


def _answers(api: Api, batch: Sequence[Numbered], patience: int) -> list[dict[str, Any]]:
    # The lines travel as they are: the platform judges the very bytes of the file.
    content = b'{"events":[' + b",".join(line for _, line in batch) + b"]}"
    request = Request(method="POST", path=path_of("events"), content=content)
    answers = api.send(request, patience).document.get(ANSWERS)
    if not isinstance(answers, list) or len(answers) != len(batch):
        raise NotReachable("What answers there did not answer every event: check --url.")
    return [answer if isinstance(answer, dict) else {} for answer in answers]


def _write(page: Page, tally: Tally) -> None:
    page.line(f"{count(tally.accepted, 'event')} accepted, {tally.refused:,} refused.")
    if tally.refusals:
        rows = [_row(refusal) for refusal in tally.document()["refusals"]]
        page.table((">line", "event", "reason", "where"), rows)


def _row(refusal: dict[str, Any]) -> tuple[object, ...]:
    errors = refusal.get("errors")
    faults = [e for e in errors if isinstance(e, dict)] if isinstance(errors, list) else []
    where = ", ".join(str(fault.get("pointer") or "/") for fault in faults)
    return refusal["line"], refusal.get("event_id"), refusal.get("reason"), where
