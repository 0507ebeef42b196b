"""What a log may say about an exception: types and places in the code, never a value."""

import traceback
from pathlib import PurePath
from types import TracebackType
from typing import Final

#: Frames kept, counted from where it was raised.
FRAMES_MAX: Final = 12
CAUSES_MAX: Final = 5
#: A path is shown from here on: enough to find the file, nothing of the machine.
PATH_PARTS: Final = 3


def type_chain(error: BaseException) -> str:
    """Return the type of an exception and of its causes: `ValueError<KeyError`."""
    names: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(names) < CAUSES_MAX:
        names.append(type(cause).__name__)
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return "<".join(names)


def places(trace: TracebackType | None) -> list[str]:
    """Return `file:line:function` of the innermost frames, the raising one last."""
    frames = list(traceback.walk_tb(trace))[-FRAMES_MAX:]
    return [
        f"{_short(frame.f_code.co_filename)}:{line}:{frame.f_code.co_name}"
        for frame, line in frames
    ]


def place_of(error: BaseException) -> str:
    """Return where an exception was raised, or an empty text."""
    found = places(error.__traceback__)
    return found[-1] if found else ""


def _short(path: str) -> str:
    return "/".join(PurePath(path).parts[-PATH_PARTS:])
