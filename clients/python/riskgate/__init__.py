"""Asks riskgate for ALLOW, CHALLENGE or BLOCK, and never takes a failure for an ALLOW."""

from ._answers import Answer, Verdict
from ._client import AsyncRiskgate, Riskgate
from ._failure import FailureKind, RiskgateFailure
from .models import DecideRequest, Decision, ReportEventsRequestEventsItem, ReportOutcomeRequest

Subject = DecideRequest
Event = ReportEventsRequestEventsItem
Outcome = ReportOutcomeRequest

__all__ = [
    "Answer",
    "AsyncRiskgate",
    "Decision",
    "Event",
    "FailureKind",
    "Outcome",
    "Riskgate",
    "RiskgateFailure",
    "Subject",
    "Verdict",
]
