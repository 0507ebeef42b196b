"""Every other route: what reaches its use case, and what comes back."""

from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.inbound.http import examples
from adapters.inbound.http.messages import to_json
from adapters.inbound.http.problem_table import PROBLEMS
from adapters.security.tokens import SCOPES
from decision_engine.commands import CloseReviewCommand, RequestReviewCommand, WhatIfCommand
from decision_engine.customers import TransactionQuery
from decision_engine.decisions import DecisionQuery
from decision_engine.loss_window import OpenWindowCommand, ReleaseWindowCommand
from decision_engine.review import ReviewQuery
from domain.instants import epoch_micros
from tests.integration.http.fakes import NEXT
from tests.integration.http.live import Live

ONE = f"/v1/credit-decisions/{examples.DECISION_ID}"
JSON = {"Content-Type": "application/json"}
KEYED = JSON | {"Idempotency-Key": "k-1"}


@pytest.mark.parametrize(
    ("path", "example"),
    [
        (ONE, examples.DECISION),
        (f"{ONE}/explanation", examples.EXPLANATION),
        ("/v1/reviews", examples.REVIEW_PAGE),
        ("/v1/loss-windows", examples.LOSS_WINDOW_PAGE),
        ("/v1/hot-data/types/DECISION_LATEST", examples.HOT_ROW_PAGE),
        ("/v1/hot-data/statuses/ACTIVE", examples.HOT_ROW_PAGE),
        ("/v1/customers/c-000123", examples.CUSTOMER),
        ("/v1/customers/c-000123/transactions", examples.TRANSACTION_PAGE),
        ("/v1/policies", examples.POLICY_LIST),
        ("/v1/policies/personal-loan", examples.POLICY_SHOWN),
        ("/v1/policies/personal-loan/diff", examples.POLICY_DIFF),
        ("/health/live", examples.LIVE),
        ("/health/ready", examples.READY),
    ],
)
def test_a_read_gives_the_document(live: Live, path: str, example: Any) -> None:
    answer = live.ask("GET", path)

    assert answer.status == 200
    assert answer.document == example


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        (ONE, "decisions:read"),
        (f"{ONE}/explanation", "decisions:read"),
        ("/v1/credit-decisions", "decisions:read"),
        ("/v1/reviews", "reviews"),
        ("/v1/customers/c-000123", "decisions:read"),
        ("/v1/customers/c-000123/transactions", "decisions:read"),
        ("/v1/policies", "policies:read"),
        ("/v1/policies/personal-loan", "policies:read"),
        ("/v1/policies/personal-loan/diff", "policies:read"),
    ],
)
def test_a_route_needs_its_scope_only(live: Live, path: str, scope: str) -> None:
    others = ["decisions:write", "events:write", "operations", "privacy"]
    good, bad, none = live.ask_all(
        [
            ("GET", path, {"headers": live.authorization(scope)}),
            ("GET", path, {"headers": live.authorization(*others)}),
            ("GET", path, {"headers": {"Authorization": None}}),
        ]
    )

    assert (good.status, bad.status, none.status) == (200, 403, 401)


def test_head_is_get_without_a_body(live: Live) -> None:
    answer = live.ask("HEAD", ONE)

    assert (answer.status, answer.body) == (200, b"")


def test_a_page_leads_to_the_next_one(live: Live) -> None:
    path = "/v1/credit-decisions?customer_id=c-1&outcome=DECLINED&policy=personal-loan"
    first = live.ask("GET", f"{path}&limit=7&from=2026-06-10&to=2026-06-10T12:00:00Z")
    second = live.ask(
        "GET",
        f"{path}&limit=9&from=2026-06-10&to=2026-06-10T12:00:00Z"
        f"&cursor={first.document['next_cursor'].replace('=', '%3D')}",
    )

    query, following = live.fake.seen
    assert isinstance(query, DecisionQuery)
    assert isinstance(following, DecisionQuery)
    assert (query.limit, query.before, query.customer_id) == (7, None, "c-1")
    assert (query.outcome, query.policy) == ("DECLINED", "personal-loan")
    # Midnight in São Paulo is three hours after midnight in UTC.
    assert query.from_us == epoch_micros(datetime(2026, 6, 10, 3, tzinfo=UTC))
    assert query.to_us == epoch_micros(datetime(2026, 6, 10, 12, tzinfo=UTC))
    assert (following.limit, following.before) == (9, NEXT)
    assert second.document["next_cursor"] is None


def test_a_day_as_an_end_is_a_whole_day(live: Live) -> None:
    live.ask("GET", "/v1/customers/c-000123/transactions?to=2026-06-10")

    (query,) = live.fake.seen
    assert isinstance(query, TransactionQuery)
    assert query.to_us == epoch_micros(datetime(2026, 6, 11, 3, tzinfo=UTC))


@pytest.mark.parametrize(
    "path",
    [
        "/v1/credit-decisions?customer_id=c-2&",
        "/v1/credit-decisions?outcome=DECLINED&",
        "/v1/reviews?",
        "/v1/customers/c-1/transactions?",
    ],
)
def test_a_cursor_belongs_to_its_list(live: Live, path: str) -> None:
    cursor = live.ask("GET", "/v1/credit-decisions?customer_id=c-1").document["next_cursor"]

    answer = live.ask("GET", f"{path}cursor={cursor.replace('=', '%3D')}")

    assert answer.status == 422
    assert answer.document["errors"][0]["code"] == "cursor-invalid"


def test_a_list_of_reviews_is_filtered(live: Live) -> None:
    live.ask("GET", "/v1/reviews?state=OPEN&limit=200")

    (query,) = live.fake.seen
    assert isinstance(query, ReviewQuery)
    assert (query.state, query.limit) == ("OPEN", 200)


def test_the_language_of_an_explanation_can_be_asked_for(live: Live) -> None:
    live.ask("GET", f"{ONE}/explanation?language=en")
    live.ask("GET", f"{ONE}/explanation", headers={"Accept-Language": "en"})
    live.ask("GET", f"{ONE}/explanation?language=pt-BR", headers={"Accept-Language": "en"})

    assert [seen[2] for seen in live.fake.seen if isinstance(seen, tuple)] == ["en", "en", "pt-BR"]


@pytest.mark.parametrize("request_body", [{}, {"data": b"{}", "headers": JSON}])
def test_a_replay_needs_neither_body_nor_key(live: Live, request_body: dict[str, Any]) -> None:
    answer = live.ask("POST", f"{ONE}/replay", **request_body)

    assert (answer.status, answer.document) == (200, examples.REPLAY)


def test_a_body_that_need_not_be_there_is_read_strictly(live: Live) -> None:
    wrong, plain = live.ask_all(
        [
            ("POST", f"{ONE}/replay", {"data": b'{"x":1}', "headers": JSON}),
            ("POST", f"{ONE}/replay", {"data": b"{}", "headers": {"Content-Type": "text/plain"}}),
        ]
    )

    assert (wrong.status, plain.status) == (422, 415)
    assert live.fake.seen == []


def test_a_review_is_asked_for_once(live: Live) -> None:
    body = to_json({"note": "Peço revisão: a renda mudou."})
    first, second = live.ask_all([("POST", f"{ONE}/review", {"data": body, "headers": KEYED})] * 2)

    assert (first.status, second.status) == (201, 201)
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    asked = live.fake.seen[0]
    assert isinstance(asked, RequestReviewCommand)
    assert (asked.decision_id, asked.client_id) == (examples.DECISION_ID, "tester")
    assert asked.note == "Peço revisão: a renda mudou."


def test_a_review_needs_a_key_and_no_note(live: Live) -> None:
    without, with_key = live.ask_all(
        [
            ("POST", f"{ONE}/review", {}),
            ("POST", f"{ONE}/review", {"headers": {"Idempotency-Key": "k-1"}}),
        ]
    )

    assert (without.status, with_key.status) == (400, 201)
    assert without.document["code"] == "idempotency-key-missing"


def test_a_reviewer_closes_a_case(live: Live) -> None:
    path = f"/v1/reviews/{examples.REVIEW_ID}/decision"
    body = to_json(examples.REVIEW_DECISION_BODY)

    answer = live.ask("POST", path, data=body, headers=KEYED)

    assert answer.status == 201
    assert answer.headers["Location"] == ONE
    (closing,) = live.fake.seen
    assert isinstance(closing, CloseReviewCommand)
    assert (closing.review_id, closing.outcome) == (examples.REVIEW_ID, "DECLINED")
    assert closing.reasons == ("R12",)


def test_an_operator_opens_and_releases_a_loss_window(live: Live) -> None:
    one = f"/v1/loss-windows/{examples.LOSS_WINDOW['window_id']}/release"
    opened, released = live.ask_all(
        [
            ("POST", path, {"data": to_json(body), "headers": KEYED})
            for path, body in (
                ("/v1/loss-windows", examples.LOSS_WINDOW_BODY),
                (one, examples.LOSS_RELEASE_BODY),
            )
        ]
    )

    assert (opened.status, opened.document) == (201, examples.LOSS_WINDOW)
    assert (released.status, released.document) == (201, examples.LOSS_RELEASE)
    opening, releasing = live.fake.seen
    assert isinstance(opening, OpenWindowCommand)
    assert (opening.cause, opening.client_id) == ("RESTORE", "tester")
    assert opening.reason == examples.LOSS_WINDOW_BODY["reason"]
    assert isinstance(releasing, ReleaseWindowCommand)
    assert releasing.window_id == examples.LOSS_WINDOW["window_id"]
    assert releasing.note == examples.LOSS_RELEASE_BODY["note"]


@pytest.mark.parametrize(
    "path",
    ["/v1/loss-windows", "/v1/hot-data/types/CUSTOMER_PROFILE", "/v1/hot-data/statuses/ACTIVE"],
)
def test_only_operators_see_what_is_theirs(live: Live, path: str) -> None:
    others = live.authorization(*(scope for scope in SCOPES if scope != "operations"))

    refused = live.ask("GET", path, headers=others)
    served = live.ask("GET", path, headers=live.authorization("operations"))

    assert (refused.status, served.status) == (403, 200)


@pytest.mark.parametrize(
    "body",
    [{}, {"cause": "WAR", "reason": "x"}, {"cause": "OTHER"}, {"cause": "OTHER", "reason": ""}],
)
def test_a_loss_window_is_opened_with_a_cause_and_a_reason(live: Live, body: object) -> None:
    answer = live.ask("POST", "/v1/loss-windows", data=to_json(body), headers=KEYED)

    assert (answer.status, live.fake.seen) == (422, [])


def test_a_what_if_takes_overrides(live: Live) -> None:
    overrides = {"behaviour.months_late": 0, "income.monthly": None, "x": True, "y": "1.00"}
    body = to_json(examples.APPLICATION | {"overrides": overrides, "policy": "personal-loan"})

    answer = live.ask("POST", "/v1/credit-decisions/what-if", data=body, headers=JSON)

    assert answer.document["recorded"] is False
    (asked,) = live.fake.seen
    assert isinstance(asked, WhatIfCommand)
    assert (asked.overrides, asked.policy) == (overrides, "personal-loan")


@pytest.mark.parametrize(
    "overrides",
    [[], None, {"Upper": 1}, {"a b": 1}, {"x": 1.5}, {"x": []}, {"x": {}}, {"x": "v" * 257},
     {f"a{n}": 1 for n in range(101)}],
)  # fmt: skip
def test_other_overrides_are_refused(live: Live, overrides: Any) -> None:
    body = to_json(examples.APPLICATION | {"overrides": overrides})

    answer = live.ask("POST", "/v1/credit-decisions/what-if", data=body, headers=JSON)

    assert answer.status == 422
    assert answer.document["errors"][0]["pointer"] == "/overrides"
    assert live.fake.seen == []


def test_a_quote_reaches_the_core_as_plain_fields(live: Live) -> None:
    answer = live.ask("POST", "/v1/quotes", data=to_json(examples.QUOTE_BODY), headers=JSON)

    assert (answer.status, answer.document) == (200, examples.QUOTE)
    assert live.fake.seen == [examples.QUOTE_BODY]


def test_events_are_taken_up_to_one_mebibyte(live: Live) -> None:
    event = examples.EVENTS_BODY["events"][0]
    many = to_json({"events": [event | {"trace": "t" * 1_000}] * 500})
    assert 64 * 1024 < len(many) < 1024 * 1024

    good, large = live.ask_all(
        [
            ("POST", "/v1/events", {"data": many, "headers": JSON}),
            ("POST", "/v1/events", {"data": many.ljust(1024 * 1024 + 1), "headers": JSON}),
        ]
    )

    assert (good.status, len(good.document["results"])) == (200, 500)
    assert (large.status, large.document["code"]) == (413, "body-too-large")


@pytest.mark.parametrize(
    ("events", "pointer", "code"),
    [
        ([], "/events", "list-length"),
        ([{}] * 501, "/events", "list-length"),
        (None, "/events", "type-list"),
        ({}, "/events", "type-list"),
        ([{}, "text"], "/events/1", "event-format"),
        ([{}, {}, {"data": {"rate": [0.5]}}], "/events/2", "event-format"),
    ],
)
def test_what_is_no_list_of_events_is_refused(
    live: Live, events: Any, pointer: str, code: str
) -> None:
    answer = live.ask("POST", "/v1/events", data=to_json({"events": events}), headers=JSON)

    assert answer.status == 422
    assert (answer.document["errors"][0]["pointer"], answer.document["errors"][0]["code"]) == (
        pointer,
        code,
    )
    assert live.fake.seen == []


def test_an_instance_that_cannot_work_says_so(live: Live) -> None:
    live.fake.ready = "unavailable"

    ready, alive = live.ask_all([("GET", "/health/ready", {}), ("GET", "/health/live", {})])

    assert (ready.status, alive.status) == (503, 200)
    assert ready.document["code"] == "unavailable"
    assert ready.document["tiers"] == examples.READY["tiers"]
    assert ready.headers["Retry-After"] == "2"


def test_what_explains_the_api_needs_no_token(live: Live) -> None:
    nobody: dict[str, Any] = {"headers": {"Authorization": None}}
    document, page, missing = live.ask_all(
        [
            ("GET", "/openapi.json", nobody),
            ("GET", "/docs", nobody),
            ("GET", "/problems/nothing", nobody),
        ]
    )

    assert document.document["openapi"] == "3.1.0"
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert b"/v1/credit-decisions" in page.body
    assert b"<script" not in page.body
    assert (missing.status, missing.document["code"]) == (404, "not-found")


def test_every_problem_has_its_page(live: Live) -> None:
    answers = live.ask_all(
        [("GET", f"/problems/{code}", {"headers": {"Authorization": None}}) for code in PROBLEMS]
    )

    for code, answer in zip(PROBLEMS, answers, strict=True):
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/markdown; charset=utf-8"
        assert f"`{code}`" in answer.body.decode()
