import io
import json
import logging
import subprocess
import sys
import textwrap
import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.telemetry.context import correlation_id, trace_id
from adapters.telemetry.faults import place_of, type_chain
from adapters.telemetry.fields import FIELDS, REDACTED, Shape, clean
from adapters.telemetry.lines import LineWriter
from adapters.telemetry.logs import Logs, at_least
from adapters.telemetry.metrics import Metrics
from adapters.telemetry.monitoring import Telemetry
from adapters.telemetry.standard_logging import StructuredHandler

HONEY = "Maria Honeytoken 529.982.247-25"
NOW = datetime(2026, 12, 10, 14, 3, 11, 512345, tzinfo=UTC)


class StillClock:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0


class Kept:
    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self.text = ""

    def put(self, line: str) -> None:
        assert "\n" not in line
        self.text += line
        self.lines.append(json.loads(line))


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def logs(kept: Kept) -> Logs:
    return Logs(kept, StillClock(), at_least("debug"))


def test_a_line_is_one_json_object(logs: Logs, kept: Kept) -> None:
    logs.event("ledger.batch", "info", {"rows": 12, "seconds": 0.5, "ok": True, "outcome": "X"})

    assert kept.lines == [
        {
            "at": "2026-12-10T14:03:11.512345Z",
            "level": "info",
            "event": "ledger.batch",
            "rows": 12,
            "seconds": 0.5,
            "ok": True,
            "outcome": "X",
        }
    ]


def test_a_line_names_its_request(logs: Logs, kept: Kept) -> None:
    tokens = correlation_id.set("order-77"), trace_id.set("4bf92f3577b34da6a3ce929d0e0e4736")
    try:
        logs.event("a.b", "info", {})
    finally:
        correlation_id.reset(tokens[0])
        trace_id.reset(tokens[1])

    assert kept.lines[0]["correlation_id"] == "order-77"
    assert kept.lines[0]["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"


def test_an_undeclared_field_is_left_out_and_counted(logs: Logs, kept: Kept) -> None:
    logs.event("a.b", "info", {"cpf": HONEY, "name_of_person": HONEY, "rows": 1})

    assert kept.lines[0]["undeclared"] == 2
    assert kept.lines[0]["rows"] == 1
    assert "Honeytoken" not in kept.text


@pytest.mark.parametrize(
    "value",
    [HONEY, "52998224725", "529.982.247-25", "a@example.com", "", "x" * 2000, None, [HONEY]],
)
def test_no_declared_field_takes_a_personal_value(logs: Logs, kept: Kept, value: object) -> None:
    logs.event("a.b", "info", dict.fromkeys(FIELDS, value))

    assert {kept.lines[0][name] for name in FIELDS} == {REDACTED}


@given(st.sampled_from(list(Shape)), st.text() | st.integers() | st.floats() | st.booleans())
def test_cleaning_never_fails(shape: Shape, value: object) -> None:
    cleaned = clean(shape, value)

    assert cleaned == REDACTED or cleaned is value
    json.dumps(cleaned, allow_nan=False)


def test_a_sampler_decides_what_is_written(kept: Kept) -> None:
    asked: list[tuple[str, str]] = []

    def only_errors(level: str, name: str) -> bool:
        asked.append((level, name))
        return level == "error"

    logs = Logs(kept, StillClock(), only_errors)
    logs.event("a.b", "info", {})
    logs.event("c.d", "error", {})

    assert asked == [("info", "a.b"), ("error", "c.d")]
    assert [line["event"] for line in kept.lines] == ["c.d"]


def test_debug_is_off_unless_asked_for(kept: Kept) -> None:
    logs = Logs(kept, StillClock())
    for level in ("debug", "info", "warning", "error"):
        logs.event("a.b", level, {})

    assert [line["level"] for line in kept.lines] == ["info", "warning", "error"]


def test_an_odd_level_and_an_odd_name_are_tamed(logs: Logs, kept: Kept) -> None:
    logs.event(HONEY, HONEY, {})

    assert (kept.lines[0]["level"], kept.lines[0]["event"]) == ("info", REDACTED)


def miss() -> None:
    raise KeyError(HONEY)


def fail() -> None:
    try:
        miss()
    except KeyError as error:
        raise ValueError(HONEY) from error


def test_a_fault_tells_types_and_places(logs: Logs, kept: Kept) -> None:
    try:
        fail()
    except ValueError as error:
        logs.fault("a.failed", error, route="/v1")

    line = kept.lines[0]
    assert line["error_type"] == "ValueError<KeyError"
    assert line["places"].split("|")[-1].startswith("unit/telemetry/test_logs.py:")
    assert line["places"].endswith(":fail")
    assert line["route"] == "/v1"
    assert "Honeytoken" not in kept.text


def test_a_cause_that_was_cut_off_stays_cut_off() -> None:
    with pytest.raises(ValueError, match="Honeytoken") as caught:
        fail_alone()

    assert type_chain(caught.value) == "ValueError"


def fail_alone() -> None:
    try:
        miss()
    except KeyError:
        raise ValueError(HONEY) from None


def test_an_error_never_raised_has_no_place() -> None:
    assert place_of(ValueError()) == ""


def test_library_logs_lose_their_texts(logs: Logs, kept: Kept) -> None:
    logger = logging.getLogger("tests.of.logs")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(StructuredHandler(logs))

    logger.warning("Invalid request %s", HONEY)
    logger.info(HONEY)
    logger.debug(HONEY)
    try:
        fail()
    except ValueError:
        logger.exception(HONEY)

    assert [line["level"] for line in kept.lines] == ["warning", "info", "debug", "error"]
    assert {line["logger"] for line in kept.lines} == {"tests.of.logs"}
    assert kept.lines[-1]["error_type"] == "ValueError<KeyError"
    assert "Honeytoken" not in kept.text


PROCESS = """
    import asyncio, logging, sys, threading, warnings
    from adapters.system import SystemClock
    from adapters.telemetry.lines import LineWriter
    from adapters.telemetry.logs import Logs
    from adapters.telemetry.standard_logging import capture

    HONEY = "Maria Honeytoken 529.982.247-25"
    capture(Logs(LineWriter(sys.stderr), SystemClock()))

    class Bad:
        def __del__(self):
            raise ValueError(HONEY)

    def fail(text):
        raise ValueError(text)

    async def lose_a_task():
        task = asyncio.create_task(failing(HONEY))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(fail, HONEY)
        await asyncio.sleep(0)

    async def failing(text):
        raise ValueError(text)

    logging.getLogger("some.library").error("broken: %s", HONEY)
    logging.getLogger("uvicorn.access").info("GET /%s", HONEY)
    warnings.warn(HONEY)
    del_me = Bad()
    del del_me
    thread = threading.Thread(target=fail, args=(HONEY,))
    thread.start()
    thread.join()
    asyncio.run(lose_a_task())
    raise RuntimeError(HONEY)
"""


def test_a_process_that_dies_says_nothing_personal() -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROCESS)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 1
    assert "Honeytoken" not in done.stdout + done.stderr
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    events = [(line["event"], line.get("error_type", line.get("logger"))) for line in lines]
    assert events == [
        ("library.log", "some.library"),
        ("library.log", "py.warnings"),
        ("process.unraisable", "ValueError"),
        ("thread.failed", "ValueError"),
        ("library.log", "ValueError"),
        ("library.log", "ValueError"),
        ("process.failed", "RuntimeError"),
    ]


def test_a_writer_writes_in_order_and_ends() -> None:
    stream = io.StringIO()
    writer = LineWriter(stream)
    for number in range(100):
        writer.put(str(number))
    writer.close()
    writer.close()

    assert stream.getvalue().split() == [str(number) for number in range(100)]


def test_a_slow_reader_blocks_nobody() -> None:
    gate = threading.Event()

    class Slow(io.StringIO):
        def write(self, text: str) -> int:
            gate.wait(10)
            return super().write(text)

    stream = Slow()
    writer = LineWriter(stream, size=3)
    for number in range(20):
        writer.put(str(number))
    gate.set()
    writer.close()

    assert writer.dropped >= 16
    assert len(stream.getvalue().split()) == 20 - writer.dropped


def test_a_reader_that_has_gone_is_survived() -> None:
    stream = io.StringIO()
    stream.close()
    writer = LineWriter(stream)
    writer.put("a")
    writer.put("b")
    writer.close()

    assert writer.dropped == 2


def test_the_port_reaches_metrics_and_logs(logs: Logs, kept: Kept) -> None:
    telemetry = Telemetry(Metrics(), logs)
    telemetry.count("hits_total", route="/a")
    telemetry.gauge("depth", 4.0)
    telemetry.observe("wait_seconds", 0.1, route="/a")
    telemetry.event("a.b", level="warning", rows=3.0)

    assert telemetry.metrics.value("hits_total", route="/a") == 1
    assert telemetry.metrics.value("depth") == 4
    assert telemetry.metrics.histogram("wait_seconds").total == 1
    assert (kept.lines[0]["level"], kept.lines[0]["rows"]) == ("warning", 3.0)
