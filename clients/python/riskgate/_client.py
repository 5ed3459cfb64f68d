"""The clients: ``Riskgate`` waits, ``AsyncRiskgate`` is awaited. They keep connections, and nothing else."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, TypedDict
from urllib.parse import quote

import httpx
from typing_extensions import Self, Unpack

from . import _call
from ._answers import Answer, challenge_all, read_batch, read_decision, to_answer, to_challenge
from ._call import BODY_BYTES_MAX, Call, TimeLeft, check_target, read_response, to_failure, to_json
from ._failure import RiskgateFailure
from .models import DecideRequest, Decision, ReportEventsRequestEventsItem, ReportOutcomeRequest

Given = Mapping[str, Any]
#: The most subjects in one request.
_BATCH_MAX = 50


class CallOptions(TypedDict, total=False):
    """What one call may change."""

    #: Seconds for the call with all its attempts.
    timeout: float
    #: Use no cached evidence older than this, in milliseconds; 0 asks every provider again.
    max_age_ms: int
    #: One for each attempt of a user; a new one unless given.
    idempotency_key: str
    traceparent: str


class _Base:
    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        timeout: float = _call.TIMEOUT,
        attempts: int = _call.ATTEMPTS,
        traceparent: Callable[[], str | None] | None = None,
        accept_test_answers: bool = False,
    ) -> None:
        self._url = check_target(url, api_key)
        self._api_key = api_key
        self._timeout = timeout
        self._attempts = attempts
        self._traceparent = traceparent
        self._accepts_tests = accept_test_answers

    def _to_call(self, path: str, body: Given, asks: bool, options: CallOptions) -> Call:
        max_age_ms = options.get("max_age_ms")
        return Call(
            self._url + path,
            self._api_key,
            body if max_age_ms is None else {**body, "max_age_ms": max_age_ms},
            asks=asks,
            timeout=options.get("timeout", self._timeout),
            attempts=self._attempts,
            idempotency_key=options.get("idempotency_key"),
            traceparent=options.get("traceparent", self._traceparent),
        )

    def _decide_call(self, subject: DecideRequest | Given, options: CallOptions) -> Call:
        return self._to_call("/v1/decide", to_json(subject, DecideRequest), True, options)

    def _batch_call(
        self, subjects: Sequence[DecideRequest | Given], first: int, options: CallOptions
    ) -> Call:
        key = options.get("idempotency_key")
        if key is not None and first > 0:
            # Places of one request are told apart by its key.
            options = {**options, "idempotency_key": f"{key}.{first}"}
        items = [_to_item(subject) for subject in subjects]
        return self._to_call("/v1/decide/batch", {"items": items}, True, options)

    def _outcome_call(self, decision_id: str, outcome: ReportOutcomeRequest | Given, options: CallOptions) -> Call:
        if not decision_id:
            raise RiskgateFailure("invalid", "A decision id is needed.")
        # With its time a repeat changes nothing.
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        body = {"at": now, **to_json(outcome, ReportOutcomeRequest)}
        return self._to_call(f"/v1/decisions/{quote(decision_id, safe='')}/outcome", body, False, options)

    def _events_call(
        self, events: Sequence[ReportEventsRequestEventsItem | Given], options: CallOptions
    ) -> Call:
        body = {"events": [to_json(event, ReportEventsRequestEventsItem) for event in events]}
        return self._to_call("/v1/events", body, False, options)


def _to_item(subject: DecideRequest | Given) -> dict[str, Any]:
    """An item of a batch. What is not valid is the service's to refuse, in its place."""
    if isinstance(subject, Mapping):
        return dict(subject)
    return to_json(subject, DecideRequest)


class Riskgate(_Base):
    """Asks one riskgate, and waits for the answer. Share it between threads, and close it at the end."""

    def __init__(self, url: str, api_key: str, *, transport: httpx.BaseTransport | None = None, **options: Any) -> None:
        super().__init__(url, api_key, **options)
        self._http = httpx.Client(transport=transport, follow_redirects=False)

    def decide(self, subject: DecideRequest | Given, **options: Unpack[CallOptions]) -> Decision:
        """A decision. Raises RiskgateFailure: whoever calls this must not take that for an ALLOW."""
        try:
            return read_decision(self._send(self._decide_call(subject, options)), self._accepts_tests)
        except Exception as error:
            raise to_failure(error) from error.__cause__

    def decide_or_challenge(self, subject: DecideRequest | Given, **options: Unpack[CallOptions]) -> Answer:
        """What to do. Never raises: without a decision, whatever the reason, it is CHALLENGE."""
        try:
            return to_answer(self.decide(subject, **options))
        except Exception as error:
            return to_challenge(to_failure(error))

    def decide_batch(
        self, subjects: Sequence[DecideRequest | Given], **options: Unpack[CallOptions]
    ) -> list[Answer]:
        """What to do about each subject, in their order; by fifty in a request. Never raises, as above."""
        answers: list[Answer] = []
        for first in range(0, len(subjects), _BATCH_MAX):
            part = subjects[first : first + _BATCH_MAX]
            try:
                body = self._send(self._batch_call(part, first, options))
                answers += read_batch(body, len(part), self._accepts_tests)
            except Exception as error:
                answers += challenge_all(part, to_failure(error))
        return answers

    def report_outcome(
        self, decision_id: str, outcome: ReportOutcomeRequest | Given, **options: Unpack[CallOptions]
    ) -> None:
        """Says what a decision turned out to be. Repeatable. Raises RiskgateFailure."""
        self._send(self._outcome_call(decision_id, outcome, options))

    def events(
        self, events: Sequence[ReportEventsRequestEventsItem | Given], **options: Unpack[CallOptions]
    ) -> None:
        """Says what happened outside decisions, up to a hundred events. Repeatable. Raises RiskgateFailure."""
        self._send(self._events_call(events, options))

    def _send(self, call: Call) -> object:
        while True:
            try:
                return self._send_once(call)
            except Exception as error:
                pause = call.pause_after(to_failure(error))
            time.sleep(pause)

    def _send_once(self, call: Call) -> object:
        extensions = {"timeout": TimeLeft(call)}
        request = self._http.build_request(
            "POST", call.url, content=call.content, headers=call.headers(), extensions=extensions
        )
        response = self._http.send(request, stream=True)
        try:
            content = b""
            for piece in response.iter_bytes():
                content += piece
                if len(content) > BODY_BYTES_MAX:
                    raise RiskgateFailure("malformed", "The answer is too large.")
                call.check_time()
            return read_response(response.status_code, response.headers, content)
        finally:
            response.close()

    def close(self) -> None:
        """Ends its connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncRiskgate(_Base):
    """Asks one riskgate, to be awaited. Share it within an event loop, and close it at the end."""

    def __init__(self, url: str, api_key: str, *, transport: httpx.AsyncBaseTransport | None = None, **options: Any) -> None:
        super().__init__(url, api_key, **options)
        self._http = httpx.AsyncClient(transport=transport, follow_redirects=False)

    async def decide(self, subject: DecideRequest | Given, **options: Unpack[CallOptions]) -> Decision:
        """A decision. Raises RiskgateFailure: whoever calls this must not take that for an ALLOW."""
        try:
            return read_decision(await self._send(self._decide_call(subject, options)), self._accepts_tests)
        except Exception as error:
            raise to_failure(error) from error.__cause__

    async def decide_or_challenge(self, subject: DecideRequest | Given, **options: Unpack[CallOptions]) -> Answer:
        """What to do. Raises nothing but the cancellation of its task: without a decision it is CHALLENGE."""
        try:
            return to_answer(await self.decide(subject, **options))
        except Exception as error:
            return to_challenge(to_failure(error))

    async def decide_batch(
        self, subjects: Sequence[DecideRequest | Given], **options: Unpack[CallOptions]
    ) -> list[Answer]:
        """What to do about each subject, in their order; by fifty in a request. Raises nothing, as above."""
        parts = [
            self._decide_part(subjects[first : first + _BATCH_MAX], first, options)
            for first in range(0, len(subjects), _BATCH_MAX)
        ]
        return [answer for part in await asyncio.gather(*parts) for answer in part]

    async def _decide_part(
        self, part: Sequence[DecideRequest | Given], first: int, options: CallOptions
    ) -> list[Answer]:
        try:
            body = await self._send(self._batch_call(part, first, options))
            return read_batch(body, len(part), self._accepts_tests)
        except Exception as error:
            return challenge_all(part, to_failure(error))

    async def report_outcome(
        self, decision_id: str, outcome: ReportOutcomeRequest | Given, **options: Unpack[CallOptions]
    ) -> None:
        """Says what a decision turned out to be. Repeatable. Raises RiskgateFailure."""
        await self._send(self._outcome_call(decision_id, outcome, options))

    async def events(
        self, events: Sequence[ReportEventsRequestEventsItem | Given], **options: Unpack[CallOptions]
    ) -> None:
        """Says what happened outside decisions, up to a hundred events. Repeatable. Raises RiskgateFailure."""
        await self._send(self._events_call(events, options))

    async def _send(self, call: Call) -> object:
        while True:
            try:
                left = call.left
                return await asyncio.wait_for(self._send_once(call), left)
            except Exception as error:
                pause = call.pause_after(to_failure(error))
            await asyncio.sleep(pause)

    async def _send_once(self, call: Call) -> object:
        request = self._http.stream("POST", call.url, content=call.content, headers=call.headers(), timeout=call.left)
        async with request as response:
            content = b""
            async for piece in response.aiter_bytes():
                content += piece
                if len(content) > BODY_BYTES_MAX:
                    raise RiskgateFailure("malformed", "The answer is too large.")
            return read_response(response.status_code, response.headers, content)

    async def close(self) -> None:
        """Ends its connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
