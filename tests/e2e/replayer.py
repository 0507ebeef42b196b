"""
A fresh process that decides again from evidence and files alone: no data folder, no platform.

Run: `python -m tests.e2e.replayer FOLDER`. The folder holds `decisions.ndjson` (evidence and reply
of each decision) and what they were decided with. The first line of the answer says in which
surroundings it was made, each line after it what became of one decision.
"""

import json
import locale
import sys
import time
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from decision_engine.replay import replay_evidence
from decision_engine.rulebook import Artifacts, Rulebook, build_rulebook


def rulebook_of(folder: Path) -> Rulebook:
    """Return the rulebook that the files of a folder make."""
    artifacts = Artifacts(
        policy=(folder / "policy.json").read_bytes(),
        models=[path.read_bytes() for path in sorted(folder.glob("model-*.json"))],
        reasons=(folder / "reasons.json").read_bytes(),
        iof=(folder / "iof.json").read_bytes(),
        funding=(folder / "funding.json").read_bytes(),
    )
    return build_rulebook(artifacts, version("tzdata"))


def main(folder: Path) -> None:
    """Replay every decision of the folder."""
    with suppress(locale.Error):
        locale.setlocale(locale.LC_ALL, "")
    _say({"hash": hash("surroundings"), "zone": time.tzname[0], "locale": locale.setlocale(0)})
    rulebook = rulebook_of(folder)
    with (folder / "decisions.ndjson").open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            replayed, reply = replay_evidence(row["evidence"].encode(), rulebook)
            equal = reply == row["reply"].encode()
            _say([row["decision_id"], replayed.verdict, equal, *replayed.differences])


def _say(document: object) -> None:
    sys.stdout.write(json.dumps(document) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
