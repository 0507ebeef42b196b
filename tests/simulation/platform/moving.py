"""
A customer whose CPF becomes known late, and so joins a person that has other customers.

c is its own person at first and may take one loan. Then c's CPF comes, which is a's: from there on
both are one person, and its one loan is taken. Nobody but c asks before that.
"""

import random

from tests.simulation.platform.events import Producer, identity, income, record
from tests.simulation.platform.plan import LEFT, Ask, Plan, puts, trouble
from tests.simulation.platform.policy import principal


def moving_plan(seed: int) -> Plan:
    """Draw a history in which c joins a's person while c asks."""
    chance = random.Random(f"moving {seed}")
    producer = Producer(chance)
    limit = principal() + chance.choice(LEFT)
    known = {**income(limit), **identity()}
    first = [
        record(producer.envelope("a", "customer.profile_updated", known)),
        record(producer.envelope("c", "customer.profile_updated", income(limit))),
    ]
    joins = record(producer.envelope("c", "customer.profile_updated", identity()))
    return Plan(
        seed=seed,
        limits={"a": limit, "c": limit},
        fits={"a": 1},
        opening=puts(chance, first, 0.0),
        later=puts(chance, [joins], 0.1),
        events=(*first, joins),
        poison=None,
        asks=tuple(Ask(f"k{n}", "c", "", n % 2, chance.random() * 0.1) for n in range(3)),
        afterwards=(Ask("after-a", "a", "", 0, 0.0), Ask("after-c", "c", "", 1, 0.0)),
        trouble=trouble(chance),
    )
