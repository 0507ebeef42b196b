from tests.unit.pricing.random_plans import check_random_plans

#: `make prove` runs 100,000.
PLANS = 2_000


def test_random_plans() -> None:
    met = check_random_plans(PLANS, seed=20261210)

    assert met["IOF financed"] > PLANS // 5
    assert met["IOF apart"] > PLANS // 10
    assert met["no IOF"] > PLANS // 10
    assert met["IOF financed, over by a centavo or more"] > 0
    assert met["refused"] < PLANS // 4
    assert min(met["huge CET"], met["zero CET"], met["interest joins the debt"]) > 5
