"""Reason codes to texts, by language: a versioned file beside the policy (FORMAT.md section 9)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from decision_engine.policy import strict_json
from decision_engine.policy.compile import CompiledPolicy
from decision_engine.policy.findings import Finding, Notes, PolicyError
from decision_engine.policy.shapes import object_of, only, text_of, whole_of, words_of
from domain.canonical import sha256_text

DATA_MISSING: Final = "R94"
DATA_STALE: Final = "R95"
_CODE: Final = re.compile(r"[A-Z][A-Z0-9_]{0,31}", re.ASCII)
_FIELDS: Final = ("family", "priority", "internal", "text", "help", "expand")
_PRIORITIES: Final = 1_000_000
_VERSIONS: Final = 1_000_000_000

Language = Literal["pt-BR", "en"]


def language_of(tag: str) -> Language:
    """Return the language of texts for a tag; everything but `en` reads pt-BR."""
    return "en" if tag == "en" else "pt-BR"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonCode:
    """One code: its family, its rank (smaller first) and its texts in pt-BR and en."""

    code: str
    family: str
    priority: int
    internal: str
    texts: tuple[str, str]
    helps: tuple[str, str]
    expands: bool

    def text(self, language: Language, attribute: str = "") -> str:
        """Return what the person reads; `attribute` is the label that stands for {attribute}."""
        return self.texts[language == "en"].replace("{attribute}", attribute)

    def help(self, language: Language, attribute: str = "") -> str:
        """Return what would help, or an empty text."""
        return self.helps[language == "en"].replace("{attribute}", attribute)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonTable:
    """All codes of a policy; `hash` is over the bytes of the file."""

    id: str
    version: int
    hash: str
    codes: Mapping[str, ReasonCode]

    @classmethod
    def parse(cls, raw: bytes) -> "ReasonTable":
        """
        Read a reason table.

        Raises:
            PolicyError: with every fault; R94 and R95 must be there.
        """
        notes = Notes()
        record = object_of(strict_json.load(raw), "a reason table", notes)
        only(record, ("id", "version", "codes", "description"), "a reason table", notes)
        codes = object_of(record.get("codes"), "codes", notes)
        table = cls(
            id=text_of(record, "id", "a reason table", notes),
            version=whole_of(record.get("version"), "version", 1, _VERSIONS, notes),
            hash=sha256_text(raw),
            codes={code: _code(code, value, notes.at(row=code)) for code, value in codes.items()},
        )
        for code in sorted({DATA_MISSING, DATA_STALE} - codes.keys()):
            notes.error(f"the code {code} must be in the table: it names missing or stale data")
        if notes.found:
            raise PolicyError(notes.found)
        return table

    def __getitem__(self, code: str) -> ReasonCode:
        """
        Return the entry of a code.

        Raises:
            PolicyError: the table does not have it (`check_codes` says so before).
        """
        found = self.codes.get(code)
        if found is None:
            raise PolicyError.of(f"the reason table has no code {code}")
        return found


def check_codes(compiled: CompiledPolicy, table: ReasonTable) -> list[Finding]:
    """Return a finding for each code of the policy that the table lacks or files elsewhere."""
    notes = Notes()
    for rule in compiled.rules:
        if rule.code not in table.codes:
            notes.at(row=rule.id).error(f"the reason table has no code {rule.code}")
    for model in compiled.models.values():
        for attribute in model.attributes:
            found = table.codes.get(attribute.code)
            place = notes.at(node=model.id, row=attribute.name)
            if found is None:
                place.error(f"the reason table has no code {attribute.code}")
            elif found.family != attribute.family:
                place.error(f"the code {found.code} is of the family {found.family} in the table")
    return notes.found


def _code(code: str, value: Any, notes: Notes) -> ReasonCode:
    record = object_of(value, "a code", notes)
    only(record, _FIELDS, "a code", notes)
    if _CODE.fullmatch(code) is None:
        notes.error("a code is capital letters, digits and _, like R05")
    if record.get("expand", "score") != "score":
        notes.error('expand can only be "score"')
    return ReasonCode(
        code=code,
        family=text_of(record, "family", "a code", notes),
        priority=whole_of(record.get("priority"), "priority", 0, _PRIORITIES, notes),
        internal=text_of(record, "internal", "a code", notes),
        texts=words_of(record.get("text"), "text", notes),
        helps=words_of(record.get("help"), "help", notes),
        expands="expand" in record,
    )
