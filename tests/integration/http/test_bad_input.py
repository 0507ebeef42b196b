"""Row 7: whatever is wrong gets the right 4xx and a problem document, and reaches no use case."""

import json
import socket
from dataclasses import dataclass, field
from typing import Any

import jwt
import pytest
from jwt.warnings import InsecureKeyLengthWarning

from adapters.inbound.http import examples
from adapters.inbound.http.messages import to_json
from adapters.security.tokens import AUDIENCE, ISSUER
from tests.integration.http.live import Answer, Live

DECIDE = "/v1/credit-decisions"
HEADERS = {"Content-Type": "application/json", "Idempotency-Key": "k-1"}
#: Stands where a value is wrong, so that an echo of it is found.
HONEY = "Maria Honeytoken 529.982.247-25"


@dataclass(frozen=True)
class Bad:
    """One bad request and what it must get."""

    name: str
    status: int
    code: str
    fault: str = ""
    pointer: str = ""
    body: bytes | None = None
    method: str = "POST"
    path: str = DECIDE
    headers: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


def changed(**fields: Any) -> bytes:
    return to_json(examples.APPLICATION | fields)


def raw(field_name: str, text: str) -> bytes:
    """Return an application whose field holds raw JSON text."""
    marked = changed(**{field_name: "@@"}).decode()
    return marked.replace('"@@"', text).encode()


def money(name: str, text: str) -> Bad:
    return Bad(name, 422, "invalid-input", "money-format", "/amount", raw("amount", text))


def date(name: str, text: str, fault: str = "date-format") -> Bad:
    return Bad(name, 422, "invalid-input", fault, "/first_due_on", raw("first_due_on", text))


def term(name: str, text: str, fault: str) -> Bad:
    return Bad(name, 422, "invalid-input", fault, "/term_months", raw("term_months", text))


def unread(name: str, code: str, body: bytes) -> Bad:
    return Bad(name, 400, code, body=body)


def header(name: str, value: str, status: int, code: str, fault: str = "") -> Bad:
    pointer = f"/headers/{name.lower()}" if fault else ""
    return Bad(f"{name}: {value[:20]!r}", status, code, fault, pointer, headers={name: value})


BODIES = [
    unread("nothing", "json-malformed", b""),
    unread("cut off", "json-malformed", changed()[:-5]),
    unread("two values", "json-malformed", changed() + b"{}"),
    unread("comma at the end", "json-malformed", b'{"amount":"1.00",}'),
    unread("NaN", "json-malformed", raw("amount", "NaN")),
    unread("Infinity", "json-malformed", raw("amount", "-Infinity")),
    unread("Arabic digits as a number", "json-malformed", raw("term_months", "٣٦")),
    unread("leading zero", "json-malformed", raw("term_months", "036")),
    unread("raw NUL", "json-malformed", changed().replace(b"c-000123", b"c-\x000123")),
    unread("byte order mark", "json-malformed", b"\xef\xbb\xbf" + changed()),
    unread("Latin-1", "json-encoding", changed().replace(b"c-000123", b"c-\xe9")),
    unread("UTF-16", "json-encoding", changed().decode().encode("utf-16")),
    unread("lone surrogate", "json-encoding", raw("customer_id", '"\\ud800"')),
    unread("duplicate key", "json-duplicate-key", b'{"amount":"1.00","amount":"2.00"}'),
    unread("duplicate key below", "json-duplicate-key", raw("channel", '{"a":1,"a":1}')),
    unread("nested lists", "json-depth", b"[" * 20_000 + b"]" * 20_000),
    unread("nested 65 deep", "json-depth", raw("channel", "[" * 64 + "]" * 64)),
    Bad("a list", 422, "invalid-input", "type-object", "", b"[]"),
    Bad("a text", 422, "invalid-input", "type-object", "", b'"{}"'),
    Bad("null", 422, "invalid-input", "type-object", "", b"null"),
    Bad("escaped NUL", 422, "invalid-input", "text-nul", "", raw("channel", '"a\\u0000b"')),
    Bad("unknown field", 422, "invalid-input", "field-unknown", "", changed(**{HONEY: HONEY})),
    Bad("missing field", 422, "invalid-input", "field-missing", "/product", b'{"amount":"1.00"}'),
    money("money as a whole number", "20000"),
    money("money as a fraction", "20000.00"),
    money("1e400", "1e400"),
    money("exponent in text", '"2E+4"'),
    money("three decimals", '"20000.000"'),
    money("one decimal", '"20000.0"'),
    money("no decimals", '"20000"'),
    money("comma", '"20000,00"'),
    money("thousands", '"20.000.00"'),
    money("negative", '"-20000.00"'),
    money("plus sign", '"+20000.00"'),
    money("blank before", '" 20000.00"'),
    money("line end after", '"20000.00\\n"'),
    money("underscore", '"20_000.00"'),
    money("Arabic digits", '"٢٠٠٠٠.٠٠"'),
    money("full-width digits", '"２００００.００"'),
    money("13 digits", '"1234567890123.00"'),
    money("leading zero", '"020000.00"'),
    money("NaN in text", '"NaN"'),
    money("nothing", '""'),
    money("null", "null"),
    money("a list", "[]"),
    money("true", "true"),
    money("honey", json.dumps(HONEY)),
    Bad("zero", 422, "invalid-input", "amount-not-positive", "/amount", changed(amount="0.00")),
    term("term as text", '"36"', "term-format"),
    term("term with a fraction", "36.0", "term-format"),
    term("term true", "true", "term-format"),
    term("term of 40 digits", "1" * 40, "term-format"),
    term("no months", "0", "term-range"),
    term("negative months", "-1", "term-range"),
    term("481 months", "481", "term-range"),
    date("30 February", '"2027-02-30"'),
    date("month 13", '"2027-13-01"'),
    date("year 0", '"0000-01-01"'),
    date("other form", '"10/01/2027"'),
    date("week date", '"2027-W01-1"'),
    date("instant", '"2027-01-10T00:00:00Z"'),
    date("Arabic date", '"٢٠٢٧-٠١-١٠"'),
    date("date as a number", "20270110"),
    date("date null", "null"),
    date("long past", '"1999-12-31"', "date-past"),
    Bad("other amortization", 422, "invalid-input", "choice-unknown", "/amortization",
        changed(amortization=HONEY)),
    Bad("no tax, as only quotes may", 422, "invalid-input", "choice-unknown", "/iof",
        changed(iof="none")),
    Bad("SQL", 422, "invalid-input", "name-format", "/customer_id",
        changed(customer_id="c'; DROP TABLE customers; --")),
    Bad("a name of 65", 422, "invalid-input", "name-format", "/customer_id",
        changed(customer_id="c" * 65)),
    Bad("an empty name", 422, "invalid-input", "name-format", "/product", changed(product="")),
    Bad("header injection in a field", 422, "invalid-input", "name-format", "/external_reference",
        changed(external_reference="a\r\nSet-Cookie: x=1")),
    Bad("10 MB", 413, "body-too-large", body=b" " * 10_000_000 + changed()),
    Bad("64 KiB and one byte", 413, "body-too-large", body=changed().ljust(65_537)),
]  # fmt: skip

HEAD = [
    header("Content-Type", "text/plain", 415, "unsupported-media-type"),
    header("Content-Type", "application/json; charset=latin-1", 415, "unsupported-media-type"),
    header("Content-Type", "application/x-www-form-urlencoded", 415, "unsupported-media-type"),
    header("Content-Encoding", "gzip", 415, "unsupported-media-type"),
    header("Accept", "text/html", 406, "not-acceptable"),
    header("Accept", "application/json;q=0", 406, "not-acceptable"),
    header("Deadline-Ms", "49", 400, "bad-header", "header-format"),
    header("Deadline-Ms", "10001", 400, "bad-header", "header-format"),
    header("Deadline-Ms", "1e3", 400, "bad-header", "header-format"),
    header("Deadline-Ms", "-100", 400, "bad-header", "header-format"),
    header("Deadline-Ms", HONEY, 400, "bad-header", "header-format"),
    header("Idempotency-Key", "", 400, "bad-header", "header-format"),
    header("Idempotency-Key", "with blank", 400, "bad-header", "header-format"),
    header("Idempotency-Key", "k" * 129, 400, "bad-header", "header-format"),
    header("Idempotency-Key", "é", 400, "bad-header", "header-format"),
    Bad("no key", 400, "idempotency-key-missing", headers={"Idempotency-Key": None}),
    Bad("no token", 401, "token-missing", headers={"Authorization": None}),
    header("Authorization", "Basic dGVzdDp0ZXN0", 401, "token-invalid"),
    header("Authorization", "Bearer ", 401, "token-invalid"),
    header("Authorization", f"Bearer {HONEY}", 401, "token-invalid"),
    header("Authorization", "Bearer a.b.c", 401, "token-invalid"),
    header("Authorization", "Bearer " + "a" * 8_000, 401, "token-invalid"),
]

ROUTES = [
    Bad("unknown path", 404, "route-not-found", path="/v1/nothing"),
    Bad("slash at the end", 404, "route-not-found", path=DECIDE + "/"),
    Bad("honey in the path", 404, "route-not-found", path="/v1/Maria%20Honeytoken"),
    Bad("honey as an id", 404, "not-found", method="GET", path=DECIDE + "/Maria%20Honeytoken"),
    Bad("NUL in an id", 404, "not-found", method="GET", path="/v1/customers/a%00b"),
    Bad("SQL in an id", 404, "not-found", method="GET", path="/v1/customers/a'%20OR%201=1--"),
    Bad("long id", 404, "not-found", method="GET", path="/v1/policies/" + "p" * 65),
    Bad("other method", 405, "method-not-allowed", method="DELETE"),
    Bad("GET on what-if", 405, "method-not-allowed", method="GET", path=DECIDE + "/what-if"),
    Bad("unknown parameter", 422, "invalid-input", "parameter-unknown", "/query",
        method="GET", path=DECIDE + "?Honeytoken=1"),
    Bad("parameter on a POST", 422, "invalid-input", "parameter-unknown", "/query",
        path=DECIDE + "?customer_id=c-1"),
    Bad("repeated parameter", 422, "invalid-input", "parameter-repeated", "/query/limit",
        method="GET", path=DECIDE + "?limit=1&limit=1"),
    Bad("limit 0", 422, "invalid-input", "limit-range", "/query/limit",
        method="GET", path=DECIDE + "?limit=0"),
    Bad("limit 201", 422, "invalid-input", "limit-range", "/query/limit",
        method="GET", path=DECIDE + "?limit=201"),
    Bad("limit in Arabic digits", 422, "invalid-input", "limit-range", "/query/limit",
        method="GET", path=DECIDE + "?limit=%D9%A1"),
    Bad("foreign cursor", 422, "invalid-input", "cursor-invalid", "/query/cursor",
        method="GET", path=DECIDE + "?cursor=" + "QUJD" * 12),
    Bad("outcome", 422, "invalid-input", "choice-unknown", "/query/outcome",
        method="GET", path=DECIDE + "?outcome=Honeytoken"),
    Bad("broken escapes", 422, "invalid-input", "query-format", "/query",
        method="GET", path=DECIDE + "?from=%FF"),
    Bad("from", 422, "invalid-input", "instant-format", "/query/from",
        method="GET", path=DECIDE + "?from=yesterday"),
    Bad("SQL in a parameter", 422, "invalid-input", "name-format", "/query/customer_id",
        method="GET", path=DECIDE + "?customer_id=a%27%20OR%201=1--"),
]  # fmt: skip


@pytest.mark.parametrize("bad", [*BODIES, *HEAD, *ROUTES], ids=str)
def test_a_bad_request_gets_its_problem(live: Live, bad: Bad) -> None:
    answer = ask(live, bad)

    check(live, bad, answer)


def ask(live: Live, bad: Bad) -> Answer:
    body = changed() if bad.body is None else bad.body
    data = body if bad.method == "POST" else None
    return live.ask(bad.method, bad.path, headers=HEADERS | bad.headers, data=data)


def check(live: Live, bad: Bad, answer: Answer) -> None:
    problem = answer.document
    assert (answer.status, problem["code"]) == (bad.status, bad.code), problem
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert problem["type"] == f"/problems/{bad.code}"
    assert problem["status"] == bad.status
    assert problem["correlation_id"] == answer.headers["Correlation-Id"]
    assert live.fake.seen == []
    if bad.fault:
        faults = [(fault["pointer"], fault["code"]) for fault in problem["errors"]]
        assert (bad.pointer, bad.fault) in faults, faults
    everything = answer.body.decode() + str(answer.headers)
    assert "oneytoken" not in everything
    assert "529.982" not in everything


def claims(live: Live, **changes: Any) -> dict[str, Any]:
    token = live.authorization()["Authorization"].split()[1]
    good: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return {name: value for name, value in (good | changes).items() if value is not None}


def signed(live: Live, **changes: Any) -> str:
    ring = live.key._ring
    return jwt.encode(claims(live, **changes), ring.secret, headers={"kid": ring.current})


def test_a_token_made_by_these_helpers_is_good(live: Live) -> None:
    assert ask(live, Bad("good", 201, "", headers=bearer(signed(live)))).status == 201


def bearer(token: str) -> dict[str, Any]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"exp": 1_000_000_000}, "token-expired"),
        ({"exp": 1e400}, "token-invalid"),
        ({"exp": "4000000000"}, "token-invalid"),
        ({"exp": None}, "token-invalid"),
        ({"nbf": 4_000_000_000}, "token-invalid"),
        ({"nbf": None}, "token-invalid"),
        ({"aud": "another-api"}, "token-invalid"),
        ({"aud": None}, "token-invalid"),
        ({"iss": "another-issuer"}, "token-invalid"),
        ({"iss": None}, "token-invalid"),
        ({"sub": None}, "token-invalid"),
        ({"sub": ""}, "token-invalid"),
        ({"sub": "with blank"}, "token-invalid"),
        ({"sub": "s" * 129}, "token-invalid"),
        ({"scope": ["decisions:write"]}, "token-invalid"),
    ],
)
def test_a_token_with_other_claims_is_refused(
    live: Live, changes: dict[str, Any], code: str
) -> None:
    bad = Bad("claims", 401, code, headers=bearer(signed(live, **changes)))

    answer = ask(live, bad)

    check(live, bad, answer)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


def test_forged_tokens_are_refused(live: Live) -> None:
    good, kid = claims(live), {"kid": live.key._ring.current}
    own = live.key._ring.secret
    forged = [
        jwt.encode(good, "", algorithm="none", headers=kid),
        jwt.encode(good, "f" * 64, headers=kid),
        with_another_algorithm(good, own, kid),
        jwt.encode(good, own, algorithm="HS256"),
        jwt.encode(good, own, headers={"kid": "99"}),
        jwt.encode(good, own, headers={"kid": "../../etc/passwd"}),
        signed(live)[:-4] + "AAAA",
    ]
    for token in forged:
        bad = Bad("forged", 401, "token-invalid", headers=bearer(token))
        check(live, bad, ask(live, bad))


def with_another_algorithm(good: dict[str, Any], own: bytes, kid: dict[str, str]) -> str:
    with pytest.warns(InsecureKeyLengthWarning):
        return jwt.encode(good, own, algorithm="HS384", headers=kid)


@pytest.mark.parametrize("scopes", [("decisions:read", "reviews"), ("decisions",), ("",)])
def test_a_wrong_scope_is_refused(live: Live, scopes: tuple[str, ...]) -> None:
    bad = Bad("scope", 403, "scope-missing", headers=live.authorization(*scopes))

    answer = ask(live, bad)

    check(live, bad, answer)
    assert 'scope="decisions:write"' in answer.headers["WWW-Authenticate"]


def test_the_constants_of_tokens_are_the_published_ones() -> None:
    assert (ISSUER, AUDIENCE) == ("credit-platform", "credit-platform-api")


def test_a_repeated_header_is_refused(live: Live) -> None:
    for name in ("Idempotency-Key: k-2", "Deadline-Ms: 100", "Authorization: Bearer x"):
        answer = raw_request(live, [name, "Deadline-Ms: 200"])

        assert b"400 Bad Request" in answer
        assert b'"header-repeated"' in answer
    assert live.fake.seen == []


@pytest.mark.parametrize(
    "line",
    [
        "Correlation-Id: abc\x00def-honeytoken",
        "Correlation-Id: abcdefgh\rSet-Cookie: honeytoken=1",
        "X: a\nSet-Cookie: honeytoken=1",
        "honeytoken",
        "Content-Length: 3\r\nTransfer-Encoding: chunked",
        "Content-Length: 3\r\nContent-Length: 4",
        "Transfer-Encoding : chunked",
    ],
)
def test_a_header_cannot_smuggle_another(live: Live, line: str) -> None:
    answer = raw_request(live, [line])

    head = answer.partition(b"\r\n\r\n")[0]
    assert head.startswith(b"HTTP/1.1 ")
    assert b"set-cookie" not in head.lower()
    assert b"honeytoken" not in answer


def raw_request(live: Live, lines: list[str]) -> bytes:
    """Send lines that no client library would send; return everything that comes back."""
    body = changed()
    head = [
        f"POST {DECIDE} HTTP/1.1",
        "Host: localhost",
        f"Authorization: {live.authorization()['Authorization']}",
        "Content-Type: application/json",
        "Idempotency-Key: k-1",
        "Connection: close",
        *lines,
    ]
    if not any("Content-Length" in line or "Transfer" in line for line in lines):
        head.append(f"Content-Length: {len(body)}")
    with socket.create_connection(("127.0.0.1", live.port), timeout=10) as connection:
        connection.sendall("\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65_536), b""))
