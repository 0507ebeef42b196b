"""What expression nodes, tables and sub-decisions share: what they read, write and pass on."""

from dataclasses import dataclass
from typing import Any

from decision_engine.policy.findings import Notes
from decision_engine.policy.shapes import LATER, dotted


@dataclass(frozen=True, slots=True)
class Options:
    """
    `prefix` goes before what the node makes.

    `source` is the object whose fields are all that the node can name, empty for everything; when
    the node loops it is a list, and the node runs for each of its elements. What does not `passes`
    hides from the nodes behind it what was there before.
    """

    prefix: str
    source: str
    passes: bool
    loops: bool


def options_of(content: dict[str, Any], notes: Notes) -> Options:
    """Return the options of a node; as in ZEN, one that says nothing of it passes nothing on."""
    passes = content.get("passThrough")
    if not isinstance(passes, bool | None):
        notes.error("passThrough must be true or false")
    mode = content.get("executionMode") or "single"
    if mode not in ("single", "loop"):
        notes.error(f'executionMode "{mode}" {LATER}')
    source, path = content.get("inputField"), content.get("outputPath")
    return Options(
        prefix=dotted(path, "outputPath", notes) + "." if path else "",
        source=dotted(source, "inputField", notes) if source else "",
        passes=passes is True,
        loops=mode == "loop",
    )


def refuse_loop(options: Options, what: str, remedy: str, notes: Notes) -> None:
    """Note that a kind of node cannot be run for each element of a list."""
    if options.loops:
        notes.error(f'{what} cannot have the executionMode "loop": {remedy}')
