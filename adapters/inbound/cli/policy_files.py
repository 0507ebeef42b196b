"""A policy file with the models and reason texts beside it, read and checked without a server."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from adapters.inbound.cli.failures import BadUsage, Failure
from adapters.inbound.cli.files import read_file
from decision_engine.offer_check import check_offers
from decision_engine.policy.check import check
from decision_engine.policy.compile import CompiledPolicy, build
from decision_engine.policy.document import PolicyDocument, ScorecardNode
from decision_engine.policy.findings import Finding, PolicyError
from decision_engine.policy.parse import parse
from decision_engine.policy.reason_table import ReasonTable, check_codes
from decision_engine.policy.scorecard import Scorecard
from decision_engine.rulebook import ENGINE_CODES, Artifacts, Rulebook, build_rulebook

T = TypeVar("T")

REASONS: Final = "reasons.json"
#: The functions that the platform gives to a policy.
FUNCTIONS: Final = frozenset({"price"})
#: The manifest of an offline run is never recorded, so it names no time zones.
NO_ZONES: Final = ""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the parts of a policy lie; what is not named is looked for beside the policy."""

    policy: Path
    models: Sequence[Path] = ()
    reasons: Path | None = None

    @property
    def reasons_path(self) -> Path | None:
        """Where the reason texts are, if anywhere."""
        beside = self.policy.with_name(REASONS)
        return self.reasons or (beside if beside.is_file() else None)

    def model_paths(self, document: PolicyDocument) -> list[Path]:
        """Return where the models are that the document names."""
        if self.models:
            return list(self.models)
        named = {node.model for node in document.nodes if isinstance(node, ScorecardNode)}
        # A model's id comes from the file, so only a plain name may become part of a path.
        files = [f"{name}.json" for name in sorted(named) if name == Path(name).name]
        return [path for file in files if (path := self.policy.with_name(file)).is_file()]


@dataclass(slots=True)
class Examined:
    """What reading and checking a policy found; `compiled` is None when there is an error."""

    sources: Sources
    findings: list[tuple[Path, Finding]] = field(default_factory=list)
    contents: dict[Path, bytes] = field(default_factory=dict)
    document: PolicyDocument | None = None
    compiled: CompiledPolicy | None = None
    models: tuple[Path, ...] = ()
    reasons: ReasonTable | None = None

    @property
    def valid(self) -> bool:
        """Whether the policy could be published."""
        return not self.errors

    @property
    def errors(self) -> list[tuple[Path, Finding]]:
        """The findings that stop publishing."""
        return [item for item in self.findings if item[1].severity == "error"]

    def rulebook(self, iof: bytes, funding: bytes) -> Rulebook:
        """
        Return everything that decides, with the dated tables given.

        Raises:
            Failure: `FOUND_WRONG`, with every error; `BAD_USAGE` for a function nobody gives.
        """
        compiled = self._usable()
        path = self.sources.reasons_path
        artifacts = Artifacts(
            policy=self.contents[self.sources.policy],
            models=[self.contents[model] for model in self.models],
            reasons=self.contents[path] if path else bare_reasons(compiled),
            iof=iof,
            funding=funding,
        )
        return build_rulebook(artifacts, NO_ZONES)

    def note(self, path: Path, findings: Sequence[Finding]) -> None:
        """Add findings about a file."""
        self.findings += [(path, finding) for finding in findings]

    def reading(self, path: Path, read: Callable[[bytes], T]) -> T | None:
        """Return what a file holds; None, with its findings noted, when it is refused."""
        self.contents[path] = raw = read_file(path)
        try:
            return read(raw)
        except PolicyError as error:
            self.note(path, error.findings)
            return None

    def _usable(self) -> CompiledPolicy:
        name = self.sources.policy.name
        if self.compiled is None or self.errors:
            faults = [f"{path.name}{f.pointer}: {f.sentence}" for path, f in self.errors]
            sentence = f"{name} does not pass its checks, so it cannot run."
            raise Failure(sentence, faults, code="policy-invalid")
        if foreign := sorted(set(self.compiled.functions) - FUNCTIONS):
            raise BadUsage(f"{name} calls a function that nobody gives here.", foreign)
        return self.compiled


def examine(sources: Sources) -> Examined:
    """
    Read and check a policy with everything that it names.

    Raises:
        Failure: `BAD_USAGE`, a file cannot be read.
    """
    found = Examined(sources)
    found.document = document = found.reading(sources.policy, parse)
    if sources.reasons_path is not None:
        found.reasons = found.reading(sources.reasons_path, ReasonTable.parse)
    if document is None:
        return found
    found.models = tuple(sources.model_paths(document))
    read = [found.reading(path, Scorecard.parse) for path in found.models]
    models = {model.id: model for model in read if model is not None}
    # Where a model could not be read, whatever the policy takes from it would look unknown.
    whole = len(models) == len(read)
    found.note(sources.policy, check(document, models) if whole else document.findings)
    if found.valid:
        found.compiled = build(document, models)
        _check_surroundings(found, found.compiled)
    return found


def bare_reasons(compiled: CompiledPolicy) -> bytes:
    """Return a reason table for a policy that has none: its codes, in its order, as their texts."""
    families = {rule.code: rule.code for rule in compiled.rules}
    for model in compiled.models.values():
        families |= {attribute.code: attribute.family for attribute in model.attributes}
    codes = {code: _bare(code, family) for code, family in families.items()}
    engine = {code: _bare(code, "data") for code in sorted(ENGINE_CODES - codes.keys())}
    numbered = enumerate((codes | engine).items(), start=1)
    table = {code: {**entry, "priority": number} for number, (code, entry) in numbered}
    return json.dumps({"id": "none", "version": 1, "codes": table}).encode()


def _bare(code: str, family: str) -> dict[str, Any]:
    texts = {"pt-BR": code, "en": code}
    return {"family": family, "internal": code, "text": texts, "help": texts}


def _check_surroundings(found: Examined, compiled: CompiledPolicy) -> None:
    for name in sorted(set(compiled.functions) - FUNCTIONS):
        sentence = f'the platform gives no function "{name}", so it cannot run this policy'
        found.note(found.sources.policy, [Finding("", "", "", sentence, "warning")])
    found.note(found.sources.policy, check_offers(compiled))
    if found.reasons is not None and found.sources.reasons_path is not None:
        findings = [*check_codes(compiled, found.reasons), *_engine_codes(found.reasons)]
        found.note(found.sources.reasons_path, findings)


def _engine_codes(reasons: ReasonTable) -> Iterator[Finding]:
    for code in sorted(ENGINE_CODES - reasons.codes.keys()):
        yield Finding("", code, "", f"the engine itself gives {code}: the table needs it")
