"""Publishing and reading policies: what decides, under which hash, since when."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from decision_engine.archive import (
    InsertArtifact,
    InsertPolicy,
    ListPolicies,
    ReadArtifacts,
    SetPolicyParts,
    StoredArtifact,
    StoredPolicy,
)
from decision_engine.rulebook import Artifacts, Rulebook, Rulebooks, build_rulebook
from domain.canonical import encode, sha256_text
from domain.errors import ConflictError, NotFoundError
from domain.instants import epoch_micros, from_epoch_micros, instant_millis
from domain.ports.time import Clock, Deadline
from domain.ports.truth import Begin, Commit, Program, Rollback, Truth

ACTIVE = "active"


@dataclass(frozen=True, slots=True)
class Policies:
    """The policies that truth holds, and the rulebooks compiled from them."""

    truth: Truth
    rulebooks: Rulebooks
    clock: Clock

    async def load(self, deadline: Deadline) -> None:
        """Compile every active policy of truth, and hold every artifact for replays."""
        policies, artifacts = await self.truth.read([ListPolicies(), ReadArtifacts()], deadline)
        self._hold(policies, artifacts)
        for policy in policies:
            if policy.status == ACTIVE:
                manifest = {**json.loads(policy.parts), "policy": policy.content_hash}
                self.rulebooks.activate(self.rulebooks.of_manifest(manifest))

    async def publish(self, artifacts: Artifacts, deadline: Deadline) -> tuple[Rulebook, bool]:
        """
        Check, compile, store and activate a policy; the same bytes again change nothing.

        Returns the rulebook, and whether it was new.

        Raises:
            PolicyError: it does not pass its checks.
            ConflictError: this version exists with other bytes.
        """
        rulebook = build_rulebook(artifacts, self.rulebooks.tz_version)
        new = await self.truth.transact(lambda: self._publish(rulebook, artifacts), deadline)
        for _, _, document in named(artifacts):
            self.rulebooks.artifacts[sha256_text(document)] = document
        self.rulebooks.artifacts[rulebook.policy.content_hash] = artifacts.policy
        self.rulebooks.activate(rulebook)
        return rulebook, new

    async def listed(self, deadline: Deadline) -> dict[str, object]:
        """Return every policy version in short form."""
        (rows,) = await self.truth.read([ListPolicies()], deadline)
        return {"items": [short_form(row) for row in rows], "next_cursor": None}

    async def show(self, policy_id: str, deadline: Deadline) -> dict[str, object]:
        """
        Return the active version of a policy with its document.

        Raises:
            NotFoundError: no such policy.
        """
        (rows,) = await self.truth.read([ListPolicies(policy_id)], deadline)
        active = [row for row in rows if row.status == ACTIVE]
        if not active:
            raise NotFoundError("no active policy has this id")
        return {**short_form(active[0]), "document": json.loads(active[0].document)}

    def _hold(self, policies: Sequence[StoredPolicy], artifacts: Sequence[StoredArtifact]) -> None:
        shelf = self.rulebooks.artifacts
        shelf.update((policy.content_hash, policy.document) for policy in policies)
        shelf.update((artifact.content_hash, artifact.document) for artifact in artifacts)

    def _publish(self, rulebook: Rulebook, artifacts: Artifacts) -> Program[bool]:
        policy = rulebook.policy
        _, rows = yield (Begin(), ListPolicies(policy.policy_id))
        for row in rows:
            if row.version == policy.version and row.content_hash != policy.content_hash:
                yield (Rollback(),)
                raise ConflictError(
                    "this version is published with other bytes", code="policy-version-taken"
                )
        now_us = epoch_micros(self.clock.now())
        inserts = [
            InsertArtifact(StoredArtifact(sha256_text(document), kind, name, document, now_us))
            for kind, name, document in named(artifacts)
        ]
        parts = parts_of(rulebook)
        known = next((row for row in rows if row.content_hash == policy.content_hash), None)
        stored = StoredPolicy(
            policy.policy_id,
            policy.version,
            policy.content_hash,
            policy.product,
            policy.title,
            ACTIVE,
            artifacts.policy,
            parts,
            now_us,
        )
        # The same policy may come with newer tables: then it decides with those from now on.
        change = (
            InsertPolicy(stored)
            if known is None
            else SetPolicyParts(policy.policy_id, policy.version, parts)
        )
        yield (*inserts, change, Commit())
        return known is None or known.parts != parts


def parts_of(rulebook: Rulebook) -> bytes:
    """Return the hashes of what a rulebook decides with besides its policy."""
    manifest = rulebook.manifest
    return encode({name: manifest[name] for name in ("models", "reasons", "iof", "funding")})


def named(artifacts: Artifacts) -> list[tuple[str, str, bytes]]:
    """Return kind, name and bytes of every artifact but the policy itself."""
    models = [
        ("model", f"model:{json.loads(document)['id']}", document) for document in artifacts.models
    ]
    return [
        *models,
        ("reasons", "reasons", artifacts.reasons),
        ("table", "iof", artifacts.iof),
        ("table", "funding", artifacts.funding),
    ]


def short_form(row: StoredPolicy) -> dict[str, object]:
    """Return what a list shows of a policy version."""
    return {
        "policy_id": row.policy_id,
        "version": row.version,
        "hash": row.content_hash,
        "product": row.product,
        "title": row.title,
        "status": row.status,
        "published_at": instant_millis(from_epoch_micros(row.published_us)),
        "links": {"self": f"/v1/policies/{row.policy_id}"},
    }
