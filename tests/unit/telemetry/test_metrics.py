import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.telemetry.histogram import BYTES, COUNTS, SECONDS, Histogram, bounds_for, merged
from adapters.telemetry.metrics import DROPPED, SERIES_MAX, Metrics

#: A sample line of the Prometheus text format.
SAMPLE = re.compile(r'[a-z_]+(\{[a-z_]+="[^"\n\\]*"(,[a-z_]+="[^"\n\\]*")*\})? [0-9.e+-]+')


def test_a_counter_adds_up_by_labels() -> None:
    metrics = Metrics()
    metrics.count("hits_total", 1, {"route": "/a", "status": "200"})
    metrics.count("hits_total", 2, {"route": "/a", "status": "200"})
    metrics.count("hits_total", 4, {"route": "/b", "status": "200"})

    assert metrics.value("hits_total") == 7
    assert metrics.value("hits_total", route="/a") == 3
    assert metrics.value("hits_total", route="/c") == 0


def test_a_gauge_holds_the_last_level() -> None:
    metrics = Metrics()
    metrics.gauge("queue_depth", 5, {})
    metrics.gauge("queue_depth", 2, {})

    assert metrics.value("queue_depth") == 2


def test_the_text_is_what_prometheus_reads() -> None:
    metrics = Metrics()
    metrics.count("hits_total", 3, {"route": "/v1/{id}", "status": "200"})
    metrics.gauge("depth", 0.5, {})
    metrics.observe("wait_seconds", 0.2, {"route": "/a"})
    metrics.observe("wait_seconds", 99.0, {"route": "/a"})

    lines = metrics.text().splitlines()

    assert 'hits_total{route="/v1/{id}",status="200"} 3' in lines
    assert "depth 0.5" in lines
    assert 'wait_seconds_bucket{route="/a",le="0.15"} 0' in lines
    assert 'wait_seconds_bucket{route="/a",le="0.2"} 1' in lines
    assert 'wait_seconds_bucket{route="/a",le="+Inf"} 2' in lines
    assert 'wait_seconds_count{route="/a"} 2' in lines
    assert 'wait_seconds_sum{route="/a"} 99.2' in lines
    types = [line for line in lines if line.startswith("#")]
    assert types == [
        "# TYPE depth gauge",
        "# TYPE hits_total counter",
        "# TYPE wait_seconds histogram",
    ]
    assert all(SAMPLE.fullmatch(line) for line in lines if not line.startswith("#"))


@pytest.mark.parametrize("value", ["Maria Honeytoken", 'a"b', "a\nb", "a\\b", "x" * 81, 7, None])
def test_an_odd_label_becomes_other(value: object) -> None:
    metrics = Metrics()
    metrics.count("hits_total", 1, {"route": value})  # type: ignore[dict-item]
    metrics.count("hits_total", 1, {"route": value})  # type: ignore[dict-item]
    metrics.observe("wait_seconds", 1, {"route": value})  # type: ignore[dict-item]

    assert metrics.value("hits_total", route="other") == 2
    assert metrics.histogram("wait_seconds", route="other").total == 1
    assert "Honeytoken" not in metrics.text()


@pytest.mark.parametrize(
    ("name", "labels"),
    [("Hits", {}), ("hits-total", {}), ("", {}), ("hits_total", {"Route": "a"})],
)
def test_an_odd_name_is_dropped_and_counted(name: str, labels: dict[str, str]) -> None:
    metrics = Metrics()
    metrics.count(name, 1, labels)

    assert metrics.value(DROPPED) == 1
    assert metrics.text() == f"# TYPE {DROPPED} counter\n{DROPPED} 1\n"


def test_a_metric_keeps_its_kind() -> None:
    metrics = Metrics()
    metrics.count("depth", 1, {})
    metrics.gauge("depth", 5, {"a": "b"})
    metrics.observe("depth", 5, {"a": "c"})

    assert metrics.value("depth") == 1
    assert metrics.value(DROPPED) == 2


def test_label_sets_are_bounded() -> None:
    metrics = Metrics()
    for number in range(SERIES_MAX + 10):
        metrics.count("hits_total", 1, {"id": str(number)})
        metrics.observe("wait_seconds", 1, {"id": str(number)})

    assert metrics.value("hits_total") == SERIES_MAX
    assert metrics.histogram("wait_seconds").total == SERIES_MAX
    assert metrics.value(DROPPED) == 20


def test_no_count_is_lost_between_threads() -> None:
    metrics = Metrics()

    def work(_: int) -> None:
        for _ in range(2_000):
            metrics.count("hits_total", 1, {"a": "b"})
            metrics.observe("wait_seconds", 0.1, {})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))

    assert metrics.value("hits_total") == 16_000
    assert metrics.histogram("wait_seconds").total == 16_000


@pytest.mark.parametrize(
    ("name", "bounds"),
    [("a_seconds", SECONDS), ("a_bytes", BYTES), ("batch_size", COUNTS)],
)
def test_the_unit_chooses_the_buckets(name: str, bounds: tuple[float, ...]) -> None:
    assert bounds_for(name) == bounds
    assert list(bounds) == sorted(set(bounds))


def test_the_service_levels_have_exact_bounds() -> None:
    assert {0.2, 0.4, 0.5} <= set(SECONDS)


@given(
    st.lists(st.floats(0.0001, 25), min_size=1, max_size=200),
    st.sampled_from([0.5, 0.9, 0.95, 0.99, 1.0]),
)
def test_a_quantile_lies_in_the_bucket_of_the_exact_one(
    values: list[float], fraction: float
) -> None:
    held = Histogram(SECONDS)
    for value in values:
        held.observe(value)
    ordered = sorted(values)
    exact = ordered[max(0, -(-int(fraction * 100) * len(values) // 100) - 1)]

    estimate = held.quantile(fraction)

    upper = next(bound for bound in SECONDS if bound >= exact)
    lower = max((bound for bound in SECONDS if bound < exact), default=0.0)
    assert lower <= estimate <= upper


def test_a_quantile_of_nothing_is_zero() -> None:
    assert Histogram(SECONDS).quantile(0.99) == 0


def test_a_quantile_above_the_last_bound_is_the_last_bound() -> None:
    held = Histogram(SECONDS)
    held.observe(1e9)

    assert held.quantile(0.5) == SECONDS[-1]


def test_histograms_add_up() -> None:
    one, two = Histogram(COUNTS), Histogram(COUNTS)
    one.observe(1)
    two.observe(3)
    two.observe(1e6)

    both = merged([one, two], COUNTS)

    assert both.total == 3
    assert both.sum == 1_000_004
    assert both.counts[0] == both.counts[2] == both.counts[-1] == 1
