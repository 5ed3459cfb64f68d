"""From what the service sent to what to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from ._failure import RiskgateFailure
from .models import Decision

Verdict = Literal["ALLOW", "CHALLENGE", "BLOCK"]

_VERDICTS = ("ALLOW", "CHALLENGE", "BLOCK")


@dataclass(frozen=True)
class Answer:
    """What to do, and why. Exactly one of ``decision`` and ``failure`` is None."""

    #: CHALLENGE whenever there is no decision.
    verdict: Verdict
    decision: Decision | None = None
    failure: RiskgateFailure | None = None


def read_decision(body: object, accept_test_answers: bool) -> Decision:
    """A decision, checked as far as it is relied on. Raises what it is instead."""
    if not isinstance(body, dict) or not isinstance(body.get("decision"), str):
        raise RiskgateFailure("malformed", "The answer is no decision.")
    if body["decision"] not in _VERDICTS:
        raise RiskgateFailure("unknown_verdict", "The verdict is not known to this client.")
    decision_id = body.get("decision_id")
    is_whole = isinstance(decision_id, str) and decision_id != "" and isinstance(body.get("reasons"), list)
    if not is_whole or not isinstance(body.get("degraded"), bool):
        raise RiskgateFailure("malformed", "The answer is half a decision.")
    mode = body.get("mode")
    if mode is not None and not (mode == "test" and accept_test_answers):
        raise RiskgateFailure("test_answer", "The answer is to a test id, and means nothing.")
    try:
        return Decision.model_validate(body)
    except ValidationError:
        # A later service may say more than this version knows. What is relied on was checked above.
        members: dict[str, Any] = {name: _read_member(name, value) for name, value in body.items()}
        return Decision.model_construct(None, **members)


def _read_member(name: str, value: object) -> object:
    """A member of a decision by its type, or as it came."""
    field = Decision.model_fields.get(name)
    if field is None or field.annotation is None:
        return value
    try:
        member: object = TypeAdapter(field.annotation).validate_python(value)
        return member
    except ValidationError:
        return value


def read_batch(body: object, count: int, accept_test_answers: bool) -> list[Answer]:
    """The entries of a batch of ``count`` subjects. Raises where they are not as many."""
    items = body.get("items") if isinstance(body, dict) else None
    if not isinstance(items, list) or len(items) != count:
        raise RiskgateFailure("malformed", "The answer is no batch.")
    return [_read_entry(item, accept_test_answers) for item in items]


def _read_entry(item: object, accept_test_answers: bool) -> Answer:
    try:
        status = item.get("status") if isinstance(item, dict) else None
        if not isinstance(item, dict) or not isinstance(status, int) or isinstance(status, bool):
            raise RiskgateFailure("malformed", "An entry is no answer.")
        if status != 200:
            seconds = item.get("retry_after_seconds")
            raise refusal(status, item.get("problem"), seconds if isinstance(seconds, int) else None)
        return to_answer(read_decision(item.get("answer"), accept_test_answers))
    except RiskgateFailure as failure:
        return to_challenge(failure)


def refusal(status: int, problem: object, retry_after: float | None) -> RiskgateFailure:
    """What a status other than 200 says, by its problem document where it has one."""
    members: Mapping[str, Any] = problem if isinstance(problem, dict) else {}
    code, request_id = members.get("code"), members.get("request_id")
    known = code if isinstance(code, str) else None
    return RiskgateFailure(
        "refused",
        f"The service answered {status}{'' if known is None else ' ' + known}.",
        status=status,
        code=known,
        request_id=request_id if isinstance(request_id, str) else None,
        retry_after=retry_after,
    )


def to_answer(decision: Decision) -> Answer:
    """The answer that a decision is."""
    return Answer(verdict=decision.decision, decision=decision)


def to_challenge(failure: RiskgateFailure) -> Answer:
    """The answer that any failure is."""
    return Answer(verdict="CHALLENGE", failure=failure)


def challenge_all(subjects: Sequence[object], failure: RiskgateFailure) -> list[Answer]:
    """The answers of a batch that failed as a whole."""
    return [to_challenge(failure) for _ in subjects]
