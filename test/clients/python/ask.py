"""Asks for a decision and for readiness with the client that openapi-generator makes."""

import sys

import riskgate

origin, key = sys.argv[1:]
configuration = riskgate.Configuration(host=origin, access_token=key)
with riskgate.ApiClient(configuration) as client:
    request = riskgate.DecideRequest(telemetry_id="allow", device_id="active")
    answer = riskgate.DecisionsApi(client).decide(request)
    ready = riskgate.HealthApi(client).readyz()
    assert ready.redis_problem is None
    print(answer.decision, ready.status)
