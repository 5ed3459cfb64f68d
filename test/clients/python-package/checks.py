"""What the installed package promises. Ends with an error at the first promise that is broken."""

import asyncio
import json
import sys
import uuid
from collections.abc import Callable
from typing import Any

import httpx

import riskgate
from riskgate import AsyncRiskgate, Riskgate, RiskgateFailure
from riskgate.testing import FakeRiskgate

origin, api_key, test_key = sys.argv[1:4]
GOOD = {"telemetry_id": "allow", "device_id": "active"}
DECISION: dict[str, Any] = {"decision_id": "id", "decision": "ALLOW", "reasons": [], "degraded": False}
Respond = Callable[[httpx.Request], httpx.Response]


def client_of(respond: Respond, **options: Any) -> tuple[Riskgate, list[httpx.Request]]:
    asked: list[httpx.Request] = []

    def note(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return respond(request)

    options.setdefault("timeout", 0.4)
    client = Riskgate("http://service.test/base/", "k", transport=httpx.MockTransport(note), **options)
    return client, asked


def text(body: str) -> Respond:
    return lambda _: httpx.Response(200, text=body)


def document(body: Any, status: int = 200, **headers: str) -> Respond:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: httpx.Response(status, json=body, headers=named)


def failing(error: Exception) -> Respond:
    def respond(_: httpx.Request) -> httpx.Response:
        raise error

    return respond


FAILURES: list[tuple[str, Respond, str]] = [
    ("a page", text("<html>"), "malformed"),
    ("nothing", text(""), "malformed"),
    ("half a document", text('{"decision":"ALLOW"'), "malformed"),
    ("a deep document", text("[" * 200_000), "malformed"),
    ("null", document(None), "malformed"),
    ("a list", document([DECISION]), "malformed"),
    ("an empty id", document({**DECISION, "decision_id": ""}), "malformed"),
    ("an id of another type", document({**DECISION, "decision_id": 7}), "malformed"),
    ("no reasons", document({**DECISION, "reasons": None}), "malformed"),
    ("degraded in words", document({**DECISION, "degraded": "false"}), "malformed"),
    ("a verdict in a list", document({**DECISION, "decision": ["ALLOW"]}), "malformed"),
    ("an unknown verdict", document({**DECISION, "decision": "MAYBE"}), "unknown_verdict"),
    ("a verdict in lower case", document({**DECISION, "decision": "allow"}), "unknown_verdict"),
    ("a test answer", document({**DECISION, "mode": "test"}), "test_answer"),
    ("an unknown mode", document({**DECISION, "mode": "shadow"}), "test_answer"),
    ("another success", document(DECISION, 201), "refused"),
    ("a redirect", document(DECISION, 302, location="http://elsewhere.test"), "refused"),
    ("a refusal", document({"code": "forbidden"}, 403), "refused"),
    ("a refusal that is not JSON", lambda _: httpx.Response(503, text="gone", headers={"retry-after": "9"}), "refused"),
    ("no connection", failing(httpx.ConnectError("canary")), "network"),
    ("a reset", failing(httpx.RemoteProtocolError("canary")), "network"),
    ("silence", failing(httpx.ReadTimeout("canary")), "timeout"),
    ("a defect", failing(RuntimeError("canary")), "invalid"),
    ("a body that is too large", text("x" * (5 << 20)), "malformed"),
]


def check_failures() -> None:
    for name, respond, kind in FAILURES:
        client, _ = client_of(respond)
        answer = client.decide_or_challenge(GOOD)
        assert answer.verdict == "CHALLENGE" and answer.decision is None, name
        assert answer.failure is not None and answer.failure.kind == kind, (name, answer.failure)
        assert "canary" not in str(answer.failure)
        try:
            client.decide(GOOD)
            raise AssertionError(name)
        except RiskgateFailure as failure:
            assert failure.kind == kind
        assert [each.verdict for each in client.decide_batch([GOOD, GOOD])] == ["CHALLENGE"] * 2, name
        asynchronous = AsyncRiskgate("http://service.test", "k", timeout=0.4, transport=httpx.MockTransport(respond))
        late = asyncio.run(asynchronous.decide_or_challenge(GOOD))
        assert late.verdict == "CHALLENGE" and late.failure is not None and late.failure.kind == kind, name


def check_service() -> None:
    with Riskgate(origin, api_key, timeout=20) as client:
        decision = client.decide(riskgate.Subject(telemetry_id="allow", device_id="active"))
        assert decision.decision == "ALLOW" and decision.policy.id
        assert client.decide_or_challenge({"telemetry_id": "forged"}).verdict == "BLOCK"
        subjects = [GOOD if place != 7 else {"device_id": 7} for place in range(60)]
        answers = client.decide_batch(subjects)
        assert len(answers) == 60 and answers[59].verdict == "ALLOW"
        refused = answers[7].failure
        assert refused is not None and (refused.status, refused.code) == (400, "invalid_request")
        client.report_outcome(str(decision.decision_id), {"label": "legit"})
        client.events([{"event_id": str(uuid.uuid4()), "event": "login_failed", "account_id": "a"}])
        for given in ({"label": "fine"}, {"label": "legit", "note": 7}):
            try:
                client.report_outcome("id", given)
                raise AssertionError(given)
            except RiskgateFailure as failure:
                assert failure.kind == "invalid"
    wrong = Riskgate(origin, "wrong").decide_or_challenge(GOOD)
    assert wrong.verdict == "CHALLENGE" and wrong.failure is not None and wrong.failure.status == 401
    lost = Riskgate("http://127.0.0.1:9", "k").decide_or_challenge(GOOD)
    assert lost.failure is not None and lost.failure.kind == "network"
    rehearsed = Riskgate(origin, test_key, timeout=20).decide_or_challenge({"telemetry_id": "test_allow"})
    assert rehearsed.failure is not None and rehearsed.failure.kind == "test_answer"
    rehearsal = Riskgate(origin, test_key, timeout=20, accept_test_answers=True)
    assert rehearsal.decide_or_challenge({"telemetry_id": "test_allow"}).verdict == "ALLOW"


async def check_async_service() -> None:
    async with AsyncRiskgate(origin, api_key, timeout=20) as client:
        assert (await client.decide(GOOD)).decision == "ALLOW"
        assert [each.verdict for each in await client.decide_batch([GOOD] * 51)] == ["ALLOW"] * 51
        await client.events([{"event_id": str(uuid.uuid4()), "event": "login_failed", "account_id": "a"}])
        server = await asyncio.start_server(lambda *_: asyncio.sleep(60), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        silent = AsyncRiskgate(f"http://127.0.0.1:{port}", "k", timeout=0.2)
        answer = await silent.decide_or_challenge(GOOD)
        assert answer.failure is not None and answer.failure.kind == "timeout"
        waiting = Riskgate(f"http://127.0.0.1:{port}", "k", timeout=0.2)
        late = await asyncio.to_thread(waiting.decide_or_challenge, GOOD)
        assert late.failure is not None and late.failure.kind == "timeout"
        server.close()


def check_attempts() -> None:
    count = iter(range(10))
    client, asked = client_of(
        lambda request: httpx.Response(503) if next(count) < 2 else httpx.Response(200, json=DECISION), timeout=5
    )
    assert client.decide(GOOD).decision == "ALLOW"
    assert len({request.headers["idempotency-key"] for request in asked}) == 1 and len(asked) == 3
    left = [int(request.headers["x-request-deadline"]) for request in asked]
    assert 4500 >= left[0] > left[1] > left[2], left
    client.decide(GOOD, idempotency_key='a "b"', max_age_ms=0)
    assert asked[3].headers["idempotency-key"] == '"a \\"b\\""'
    assert json.loads(asked[3].content)["max_age_ms"] == 0
    tries: list[tuple[Respond, int]] = [
        (document({}, 400), 1),
        (document({}, 429, retry_after="60"), 1),
        (document({}, 503, retry_after="Fri, 31 Dec 2100 23:59:59 GMT"), 1),
        (document({}, 503, retry_after="0"), 3),
        (failing(httpx.ConnectError("x")), 3),
        (text("<html>"), 1),
    ]
    for respond, wanted in tries:
        client, asked = client_of(respond, timeout=5)
        assert client.decide_or_challenge(GOOD).verdict == "CHALLENGE"
        assert len(asked) == wanted, (len(asked), wanted)


def check_what_is_sent() -> None:
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    client, asked = client_of(document(DECISION), traceparent=lambda: trace)
    client.decide(GOOD)
    client.decide(GOOD, traceparent="x")
    assert [request.headers.get("traceparent") for request in asked] == [trace, None]
    assert str(asked[0].url) == "http://service.test/base/v1/decide"
    for subject in ({"telemetry_id": object()}, {"nonsense": 1}, {"device_id": "x" * 257}):
        answer = client.decide_or_challenge(subject)
        assert answer.verdict == "CHALLENGE" and answer.failure is not None and answer.failure.kind == "invalid"
    for url, key in (("ftp://x", "k"), ("x", "k"), (origin, ""), (origin, "a\nb")):
        try:
            Riskgate(url, key)
            raise AssertionError(url)
        except ValueError:
            pass
    entries: list[Any] = [
        {"status": 200, "answer": DECISION},
        {"status": 429, "problem": {"code": "rate_limited"}, "retry_after_seconds": 7},
        {"status": 200, "answer": {**DECISION, "decision": "MAYBE"}},
        {"status": 200},
        {"answer": DECISION},
        None,
        {"status": True, "answer": DECISION},
        {"status": 200, "answer": {**DECISION, "mode": "test"}},
    ]
    client, _ = client_of(document({"items": entries}))
    answers = client.decide_batch([GOOD] * len(entries))
    assert [each.verdict for each in answers] == ["ALLOW"] + ["CHALLENGE"] * (len(entries) - 1)
    assert answers[1].failure is not None and answers[1].failure.retry_after == 7


def check_later_service() -> None:
    reason = {"code": "NEW", "rule": "new", "verdict": "BLOCK", "providers": [], "certain": True}
    body = {**DECISION, "decision": "BLOCK", "reasons": [reason], "providers": {"new": 7}, "more": 1}
    client, _ = client_of(document(body))
    decision = client.decide(GOOD)
    assert decision.decision == "BLOCK" and decision.reasons[0].code == "NEW"


def check_fake() -> None:
    fake = FakeRiskgate(timeout=0.5)
    assert fake.client.decide_or_challenge(GOOD).verdict == "ALLOW"
    assert fake.client.decide(GOOD).policy.id == "fake"
    fake.answer(lambda subject: "BLOCK" if subject.get("telemetry_id") == "allow" else "CHALLENGE")
    assert [each.verdict for each in fake.client.decide_batch([GOOD, {}])] == ["BLOCK", "CHALLENGE"]
    fake.answer("ALLOW")
    for failure in ("network", "timeout", "malformed", 503):
        fake.fail(failure, 3)
        assert fake.client.decide_or_challenge(GOOD).verdict == "CHALLENGE"
        while fake.client.decide_or_challenge(GOOD).failure is not None:
            pass
    assert asyncio.run(fake.async_client.decide_or_challenge(GOOD)).verdict == "ALLOW"
    fake.client.events([])
    fake.client.report_outcome("id", {"label": "legit"})
    assert json.loads(fake.requests[-1].content)["at"].endswith("Z")


CHECKS = [
    check_service,
    check_failures,
    check_attempts,
    check_what_is_sent,
    check_later_service,
    check_fake,
]
for check in CHECKS:
    check()
asyncio.run(check_async_service())
print(f"{len(CHECKS) + 1 + len(FAILURES)} kept")
