"""Stands in for the service in tests of your own code, in the same process."""

import json
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any, Literal

import httpx

from ._answers import Verdict
from ._client import AsyncRiskgate, Riskgate

#: What the fake does instead of a decision. A number is a status, with a problem document.
FakeFailure = Literal["network", "timeout", "malformed"] | int


class FakeRiskgate:
    """Answers ALLOW until it is told otherwise. ``client`` and ``async_client`` ask it."""

    def __init__(self, **options: Any) -> None:
        #: Everything that was asked so far.
        self.requests: list[httpx.Request] = []
        self._verdict_of: Callable[[Mapping[str, Any]], Verdict] = lambda _: "ALLOW"
        self._failures: list[FakeFailure] = []
        transport = httpx.MockTransport(self._respond)
        self.client = Riskgate("http://riskgate.fake", "fake", transport=transport, **options)
        self.async_client = AsyncRiskgate("http://riskgate.fake", "fake", transport=transport, **options)

    def answer(self, verdict: Verdict | Callable[[Mapping[str, Any]], Verdict]) -> None:
        """From now on this is the answer: a verdict, or one for each subject."""
        self._verdict_of = verdict if callable(verdict) else lambda _: verdict

    def fail(self, failure: FakeFailure, attempts: int = 1) -> None:
        """The next so many attempts fail. A client tries again after most failures."""
        self._failures += [failure] * attempts

    def _respond(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        failure = self._failures.pop(0) if self._failures else None
        if failure == "network":
            raise httpx.ConnectError("fake", request=request)
        if failure == "timeout":
            raise httpx.ReadTimeout("fake", request=request)
        if failure == "malformed":
            return httpx.Response(200, json={"decision": None})
        if failure is not None:
            return httpx.Response(failure, json={"status": failure, "title": "Fake", "code": "fake"})
        return httpx.Response(200, json=self._body(request.url.path, json.loads(request.content)))

    def _body(self, path: str, body: dict[str, Any]) -> object:
        if path == "/v1/decide":
            return _to_decision(self._verdict_of(body))
        if path == "/v1/decide/batch":
            answers = [_to_decision(self._verdict_of(item)) for item in body["items"]]
            return {"items": [{"status": 200, "answer": answer} for answer in answers]}
        if path == "/v1/events":
            return {"counted": len(body["events"]), "repeated": 0}
        return {"decision_id": path.split("/")[-2], "label": body["label"], "labels": []}


def _to_decision(verdict: Verdict) -> dict[str, Any]:
    now = datetime.now(timezone.utc).isoformat()
    reason = {"code": "FAKE", "rule": "fake", "verdict": verdict, "providers": [], "certain": True}
    return {
        "decision_id": str(uuid.uuid4()),
        "decision": verdict,
        "reasons": [] if verdict == "ALLOW" else [reason],
        "degraded": False,
        "waivers": [],
        "providers": {},
        "policy": {"id": "fake", "hash": "sha256:fake"},
        "decided_at": now,
        "expires_at": now,
    }
