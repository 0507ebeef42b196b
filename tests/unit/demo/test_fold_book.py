from tests.unit.demo.fold_book import check_fold_book


def test_real_customers_fold_the_same_in_any_order() -> None:
    compared = check_fold_book(150, seed=7)

    assert compared["customers"] == 150
    assert compared["events"] > 1_500
