"""Everything that decides besides the facts: policy, models, reasons, rate and tax tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from decision_engine.policy.compile import CompiledPolicy, compile_policy
from decision_engine.policy.findings import PolicyError
from decision_engine.policy.reason_table import ReasonTable, check_codes
from decision_engine.policy.scorecard import Scorecard
from decision_engine.policy_texts import PolicyTexts, texts_of
from decision_engine.pricing.tables import FundingTable, IofTable
from decision_engine.snapshot import InputField
from domain.canonical import ENCODER_VERSION, checked
from domain.errors import PermanentError
from domain.policy import CreditPolicy

#: Changes whenever the engine may give another answer to the same question.
ENGINE_VERSION: Final = "1"
#: As many rulebooks as decide at once, by far.
MANIFESTS_KEPT: Final = 64
#: Codes that the engine itself gives, whatever the policy says.
ENGINE_CODES: Final = frozenset({"R90", "R92", "R93", "R94", "R95", "R96"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifacts:
    """The raw bytes that a rulebook is built from; their SHA-256 stand in the manifest."""

    policy: bytes
    models: Sequence[bytes]
    reasons: bytes
    iof: bytes
    funding: bytes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rulebook:
    """One immutable set of rules, compiled once; `manifest` names each part by its hash."""

    policy: CreditPolicy
    compiled: CompiledPolicy
    reasons: ReasonTable
    iof: IofTable
    funding: FundingTable
    tz_version: str
    fields: tuple[InputField, ...]
    texts: PolicyTexts

    @property
    def model(self) -> Scorecard | None:
        """The scorecard that the policy uses first, or None."""
        return next(iter(self.compiled.models.values()), None)

    @property
    def manifest(self) -> Mapping[str, object]:
        """The names of everything that a replay needs, in canonical plain form."""
        return _manifest(self)


@lru_cache(maxsize=MANIFESTS_KEPT)
def _manifest(rulebook: Rulebook) -> Mapping[str, object]:
    return checked(
        {
            "policy": rulebook.policy.content_hash,
            "models": sorted(model.hash for model in rulebook.compiled.models.values()),
            "reasons": rulebook.reasons.hash,
            "iof": rulebook.iof.hash,
            "funding": rulebook.funding.hash,
            "engine": ENGINE_VERSION,
            "encoder": ENCODER_VERSION,
            "tzdata": rulebook.tz_version,
        }
    )


def build_rulebook(artifacts: Artifacts, tz_version: str) -> Rulebook:
    """
    Compile a policy with its models and tables.

    Raises:
        PolicyError: the policy does not pass its checks; the error lists every finding.
        InvalidInputError: a model, reason or rate table cannot be read.
    """
    compiled = compile_policy(artifacts.policy, _models(artifacts.models))
    reasons = ReasonTable.parse(artifacts.reasons)
    _refuse_missing_codes(compiled, reasons)
    header = compiled.header
    return Rulebook(
        policy=CreditPolicy(
            policy_id=header.id,
            version=header.version,
            content_hash=compiled.hash,
            product=header.product,
            title=header.title[0],
        ),
        compiled=compiled,
        reasons=reasons,
        iof=IofTable.parse(artifacts.iof),
        funding=FundingTable.parse(artifacts.funding),
        tz_version=tz_version,
        fields=tuple(
            InputField(field.name, str(field.kind), field.max_age_days, field.scalar_reader())
            for field in compiled.reads
        ),
        texts=texts_of(compiled),
    )


def _refuse_missing_codes(compiled: CompiledPolicy, reasons: ReasonTable) -> None:
    findings = check_codes(compiled, reasons)
    absent = sorted(ENGINE_CODES - reasons.codes.keys())
    if absent:
        findings.extend(PolicyError.of(f"the reason table has no code {absent[0]}").findings)
    if findings:
        raise PolicyError(findings)


def _models(documents: Sequence[bytes]) -> dict[str, Scorecard]:
    return {model.id: model for model in map(Scorecard.parse, documents)}


@dataclass(slots=True)
class Rulebooks:
    """The active rulebook of each product, and any earlier one by the hashes of a manifest."""

    artifacts: dict[str, bytes]
    tz_version: str
    active: dict[str, Rulebook]
    _by_manifest: dict[tuple[str, ...], Rulebook]

    @classmethod
    def empty(cls, tz_version: str) -> "Rulebooks":
        """Return a shelf without rulebooks."""
        return cls({}, tz_version, {}, {})

    def activate(self, rulebook: Rulebook) -> None:
        """Make a rulebook the champion of its product, at once and for every later request."""
        self.active[rulebook.policy.product] = rulebook

    def of_manifest(self, manifest: Mapping[str, object]) -> Rulebook:
        """
        Return the rulebook that a manifest names, compiled once and kept.

        Raises:
            PermanentError: one of its parts is not held here.
        """
        parts, models = _parts_of(manifest)
        key = (*parts, *models)
        if key not in self._by_manifest:
            self._by_manifest[key] = build_rulebook(self._artifacts(parts, models), self.tz_version)
        return self._by_manifest[key]

    def artifacts_of(self, manifest: Mapping[str, object]) -> Artifacts:
        """
        Return the bytes of everything that a manifest names.

        Raises:
            PermanentError: one of its parts is not held here.
        """
        return self._artifacts(*_parts_of(manifest))

    def _artifacts(self, parts: tuple[str, ...], models: tuple[str, ...]) -> Artifacts:
        policy, reasons, iof, funding = (self._bytes(part) for part in parts)
        return Artifacts(
            policy=policy,
            models=[self._bytes(model) for model in models],
            reasons=reasons,
            iof=iof,
            funding=funding,
        )

    def _bytes(self, content_hash: str) -> bytes:
        try:
            return self.artifacts[content_hash]
        except KeyError:
            raise PermanentError("a part that the decision was made with is not held") from None


def _parts_of(manifest: Mapping[str, object]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    models = tuple(str(name) for name in manifest["models"])  # type: ignore[attr-defined]
    return tuple(str(manifest[part]) for part in ("policy", "reasons", "iof", "funding")), models
