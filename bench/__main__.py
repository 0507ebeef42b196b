"""Run the benches: all of them, or those that are named."""

import sys
from collections.abc import Callable, Sequence
from typing import Final

from bench import (
    cache,
    decide_cpu,
    decisions,
    hot,
    ledger,
    policy,
    pricing,
    services,
    stores,
    tiers,
    wide,
)

BENCHES: Final[dict[str, Callable[[], None]]] = {
    "pricing": pricing.main,
    "stores": stores.main,
    "cache": cache.main,
    "hot": hot.main,
    "wide": wide.main,
    "decide_cpu": decide_cpu.main,
    "decisions": decisions.main,
    "policy": policy.main,
    "ledger": ledger.main,
    "services": services.main,
    "tiers": tiers.main,
}


def main(arguments: Sequence[str]) -> int:
    """Run benches by name; return 2 for a name that there is not."""
    names = arguments or list(BENCHES)
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"no bench {unknown[0]}; there are {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    for name in names:
        print(f"\n== {name}")
        BENCHES[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
