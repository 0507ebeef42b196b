"""
Files as large as a file may be, each wrong in one way, read in a process with little memory.

The process ends by itself when it needs more: `python -m tests.integration.policy.fuzz_large N`.
"""

import json
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Final

from decision_engine.policy.compile import compile_policy
from decision_engine.policy.findings import PolicyError
from decision_engine.policy.reason_table import ReasonTable
from decision_engine.policy.scorecard import Scorecard
from tests.integration.policy.fuzz_inputs import CARD, REASONS
from tests.unit.policy.build import document, expressions, model, ranges, raw, rules

#: What the interpreter and its libraries take, and what each byte of a file may take beside.
MEMORY: Final = 300_000_000
MEMORY_PER_BYTE: Final = 80
CONVERSATION_S: Final = 600

READERS: Final[tuple[Callable[[bytes], object], ...]] = (
    lambda file: compile_policy(file, {}),
    Scorecard.parse,
    ReasonTable.parse,
)


def check_large(size: int) -> dict[str, int]:
    """Read files of `size` bytes under the limit of memory; return how many were read."""
    command = [sys.executable, "-m", "tests.integration.policy.fuzz_large", str(size)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=CONVERSATION_S
    )
    if done.returncode:
        raise AssertionError(done.stderr[-2_000:])
    found: dict[str, int] = json.loads(done.stdout)
    return found


def main(arguments: Sequence[str]) -> int:
    """Read every file with every reader; only a refusal or a result is an end."""
    size = int(arguments[0])
    most = MEMORY + MEMORY_PER_BYTE * size
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    count = 0
    for file in files(size):
        for read in READERS:
            with suppress(PolicyError):
                read(file)
            count += 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = {"large files": count, "bytes each": size, "most KiB": peak}
    sys.stdout.write(json.dumps(found))
    return 0


def files(size: int) -> Iterator[bytes]:
    """Yield the files, one at a time."""
    for piece in (b"[", b"[],", b"{},", b"1,", b'"",', b"1.5,", b'"\\u0000",', b'{"a":'):
        yield b"[" + piece * (size // len(piece) - 1) + b"1]"
    for key in (b"nodes", b"edges", b"codes", b"attributes", b"x-policy"):
        yield b'{"%s": [%s1]}' % (key, b"1," * (size // 2 - 20))
        yield b'{"%s": "%s"}' % (key, b"x" * (size - 20))
    keys = ",".join(f'"{number:x}":1' for number in range(size // 10))
    yield f'{{"codes": {{{keys}}}}}'.encode()
    yield f"{{{keys}}}".encode()
    yield raw(document(properties={f"k{i}": {"type": "no"} for i in range(size // 30)}))
    yield raw(document(expressions("e", {f"k{i}": "1 +" for i in range(min(9_000, size // 80))})))
    yield raw(document(expressions("e", {"k": "(" * (size - 2_000)})))
    yield raw(document(expressions("a." * (size // 2 - 2_000) + "a", {"k": "1"})))
    yield raw(document(expressions("e", {"a_" * (size // 2 - 2_000) + "a": "1"})))
    cells = [(f"r{i}", "1 or" * 200, "decline") for i in range(min(19_000, size // 900))]
    yield raw(document(rules(*cells, fields=("a",))))
    yield raw({**CARD, "attributes": [ranges(f"k{i}", 0, "1", 1) for i in range(size // 250)]})
    yield raw(model(ranges("a", 0, *_ends(size // 50))))
    code = next(iter(REASONS["codes"].values()))
    codes = {f"C{i}": code for i in range(size // (len(json.dumps(code)) + 10))}
    yield raw({**REASONS, "codes": {**REASONS["codes"], **codes}})


def _ends(count: int) -> Iterator[str | int]:
    for number in range(count):
        yield str(number)
        yield number % 100


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
