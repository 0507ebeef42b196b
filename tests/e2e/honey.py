"""Personal data that is nobody's, and a search for it in every form it could have slipped into."""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import aiohttp

from tests.e2e.platform import Answer, Platform

#: Bytes at the rim of a base64 text that depend on what stands beside it.
RIM: Final = 4


@dataclass(frozen=True, slots=True)
class Honey:
    """One made-up person for one scene; no other text of the tests looks like it."""

    scene: int
    cpf: str = "529.982.247-25"

    def identity(self) -> dict[str, str]:
        """Return every personal field, valid."""
        mark = f"zq{self.scene:02d}xw"
        return {
            "cpf": self.cpf,
            "name": f"Honória {mark} do Pote",
            "birth_date": f"19{self.scene:02d}-02-17",
            "email": f"{mark}@honeypot.example",
            "phone": f"+55 (11) 98{self.scene:02d}7-6543",
            "address": f"Rua do Mel {mark}, 4242",
        }

    def tokens(self) -> set[str]:
        """Return the texts that must not get out: every field, and what identifies within one."""
        found = set(self.identity().values())
        digits = {"".join(filter(str.isdigit, found_)) for found_ in (self.cpf, self._phone)}
        return found | digits | {f"zq{self.scene:02d}xw"}

    @property
    def _phone(self) -> str:
        return self.identity()["phone"]


@dataclass(slots=True)
class Witness:
    """A client that keeps every byte it was answered with."""

    platform: Platform
    heard: dict[str, bytes] = field(default_factory=dict)

    async def send(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Send a request and keep its answer."""
        answer = await self.platform.request(method, path, body, **headers)
        shown = json.dumps(answer.headers, ensure_ascii=False).encode()
        self.heard[f"answer {len(self.heard)} to {method} {path[:40]}"] = shown + answer.body
        return answer

    async def events(self, *events: Any) -> Any:
        """Send events and return the results."""
        answer = await self.send("POST", "/v1/events", {"events": events})
        return answer.document.get("results", answer.document)

    async def metrics(self) -> None:
        """Keep what the metrics say."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(self.platform.hello["metrics_url"]) as response,
        ):
            self.heard["metrics"] = await response.read()

    def everything(self, data: Path) -> dict[str, bytes]:
        """Return all that was heard, the log, and every file of the data folder as it is now."""
        return {**self.heard, "log": self.platform.stderr.read_bytes(), **files_of(data)}


def files_of(data: Path) -> dict[str, bytes]:
    """Return the files of a folder; SQLite's logs and shared memory among them."""
    return {
        str(path.relative_to(data)): path.read_bytes() for path in data.rglob("*") if path.is_file()
    }


def leaks(places: Mapping[str, bytes], tokens: set[str]) -> list[str]:
    """Return where a token was found, in any form."""
    forms = [(token, form) for token in sorted(tokens) for form in set(_forms(token))]
    found = []
    for name, content in places.items():
        lowered = content.lower()
        found += [f"{token} in {name}" for token, form in forms if form.lower() in lowered]
    return sorted(set(found))


def _forms(token: str) -> Iterator[bytes]:
    raw = token.encode()
    yield raw
    yield json.dumps(token)[1:-1].encode()
    yield ascii(token)[1:-1].encode()
    yield quote(token).encode()
    yield quote(token, safe="").encode()
    yield token.encode("latin-1")
    yield token.encode("utf-16-le")
    yield token.encode("utf-16-be")
    yield raw.hex().encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for shift in range(3):
            text = encode(bytes(shift) + raw)
            if len(text) > 4 * RIM:
                yield text[RIM:-RIM]
