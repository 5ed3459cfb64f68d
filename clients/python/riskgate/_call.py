"""One call, which may be sent several times: what both clients share, without waiting for anything."""

import asyncio
import json
import random
import re
import time
import uuid
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ValidationError

from ._answers import refusal
from ._failure import RiskgateFailure

TIMEOUT = 1.5
ATTEMPTS = 3
#: Fifty decisions are some 100 kB.
BODY_BYTES_MAX = 4 * 1024 * 1024
#: Of the time that is left, what the service may take: the answer has to come back too.
_SERVICE_SHARE = 0.9
#: What may come right at another try.
_RETRIED = frozenset({409, 429, 500, 502, 503, 504})
#: The pause before the second attempt, where the service says nothing, in seconds; it doubles.
_PAUSE = 0.05
_TRACEPARENT = re.compile(r"[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}")


def check_target(url: str, api_key: str) -> str:
    """The base URL. Raises ValueError when it or the key cannot be one: better now than at a login."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError("The URL must be http or https.")
    if not re.fullmatch(r"[\x21-\x7e]+", api_key):
        raise ValueError("The API key is empty, or no header can hold it.")
    return url.rstrip("/")


def to_json(value: BaseModel | Mapping[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    """A subject and the like as it is sent: what is not set is left out. Raises ``invalid``."""
    try:
        checked = value if isinstance(value, BaseModel) else model.model_validate(value)
        return checked.model_dump(mode="json", exclude_unset=True)
    except (ValidationError, ValueError, TypeError) as error:
        # Without the error's text, which quotes what it is about.
        raise RiskgateFailure("invalid", f"What is asked about is not valid ({type(error).__name__}).") from None


class Call:
    """The state of one call."""

    def __init__(
        self,
        url: str,
        api_key: str,
        body: Mapping[str, Any],
        *,
        asks: bool,
        timeout: float,
        attempts: int,
        idempotency_key: str | None,
        traceparent: str | Callable[[], str | None] | None,
    ) -> None:
        self.url = url
        self.attempts = attempts if attempts > 0 else ATTEMPTS
        self.ends_at = time.monotonic() + (timeout if timeout > 0 else TIMEOUT)
        self.asks = asks
        self._tried = 0
        try:
            self.content = json.dumps(body, allow_nan=False).encode()
            trace = traceparent() if callable(traceparent) else traceparent
        except Exception as error:
            raise RiskgateFailure("invalid", f"The call could not be made ({type(error).__name__}).") from None
        self._headers = {"authorization": f"Bearer {api_key}", "content-type": "application/json"}
        if asks:
            # The same for every attempt, so that one decision is made however often it is asked for.
            key = str(uuid.uuid4()) if idempotency_key is None else idempotency_key
            self._headers["idempotency-key"] = json.dumps(key)
        if trace is not None and _TRACEPARENT.fullmatch(trace):
            self._headers["traceparent"] = trace

    @property
    def left(self) -> float:
        """Seconds that are left. Raises ``timeout`` when there are none."""
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise RiskgateFailure("timeout", "No answer in time.")
        return left

    def check_time(self) -> None:
        """Raises ``timeout`` when no time is left."""
        _ = self.left

    def headers(self) -> dict[str, str]:
        """Those of the next attempt."""
        if not self.asks:
            return self._headers
        return {**self._headers, "x-request-deadline": str(int(self.left * _SERVICE_SHARE * 1000))}

    def pause_after(self, failure: RiskgateFailure) -> float:
        """Seconds to wait before another attempt. Raises the failure where none is of use, or in time."""
        self._tried += 1
        is_retried = failure.kind == "network" or (failure.kind == "refused" and failure.status in _RETRIED)
        pause = failure.retry_after
        if pause is None:
            pause = _PAUSE * 2 ** (self._tried - 1) * random.uniform(0.5, 1.5)
        if not is_retried or self._tried >= self.attempts or time.monotonic() + pause >= self.ends_at:
            raise failure
        return pause


class TimeLeft(dict[str, float]):
    """What is left of a call, asked anew by the HTTP library for each of its waits."""

    def __init__(self, call: Call) -> None:
        super().__init__()
        self._call = call

    def get(self, key: str, default: Any = None) -> Any:
        """The seconds for this wait, whichever it is."""
        return self._call.left


def read_response(status: int, headers: httpx.Headers, content: bytes) -> object:
    """The body of a 200. Raises what anything else is."""
    try:
        body: object = json.loads(content)
    except (ValueError, RecursionError):
        if status == 200:
            raise RiskgateFailure("malformed", "The answer is no JSON.") from None
        body = None
    if status != 200:
        raise refusal(status, body, _retry_after(headers.get("retry-after", "").strip()))
    return body


def to_failure(error: Exception) -> RiskgateFailure:
    """What an error of the HTTP library is, without its text, which may name what was asked."""
    if isinstance(error, RiskgateFailure):
        return error
    # Python 3.10 has two that are called so.
    if isinstance(error, (httpx.TimeoutException, TimeoutError, asyncio.TimeoutError)):
        return RiskgateFailure("timeout", "No answer in time.")
    if isinstance(error, (httpx.TransportError, httpx.StreamError, OSError)):
        return RiskgateFailure("network", f"The service could not be reached ({type(error).__name__}).")
    return RiskgateFailure("invalid", f"The call could not be made ({type(error).__name__}).")


def _retry_after(field: str) -> float | None:
    """``Retry-After`` in seconds, or as a date (RFC 9110)."""
    if re.fullmatch(r"[0-9]{1,6}", field):
        return float(field)
    try:
        return max(0.0, parsedate_to_datetime(field).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):
        return None
