"""Why there is no decision."""

from typing import Literal

FailureKind = Literal[
    "timeout", "network", "refused", "malformed", "unknown_verdict", "test_answer", "invalid"
]


class RiskgateFailure(Exception):
    """There is no decision. Its message holds no identifier.

    ``kind`` is ``timeout``: none within the time; ``network``: no answer; ``refused``: a status other than
    200, see ``status`` and ``code``; ``malformed``: an answer that is no decision; ``unknown_verdict``: a
    verdict that this version does not know; ``test_answer``: an answer to a test id; ``invalid``: what was to
    be asked cannot be sent.
    """

    def __init__(
        self,
        kind: FailureKind,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.kind: FailureKind = kind
        self.status = status
        self.code = code
        self.request_id = request_id
        #: Seconds after which another try makes sense; None where nothing was said.
        self.retry_after = retry_after
