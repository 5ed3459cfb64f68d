package main

import (
	"context"
	"net/http"
	"time"

	"example.test/ask/riskgate"
)

// newClient asks the service at url with an API key, and waits no longer than a second and a half.
func newClient(url, apiKey string) (*riskgate.ClientWithResponses, error) {
	key := func(_ context.Context, request *http.Request) error {
		request.Header.Set("Authorization", "Bearer "+apiKey)
		return nil
	}
	patient := &http.Client{Timeout: 1500 * time.Millisecond}
	return riskgate.NewClientWithResponses(url, riskgate.WithRequestEditorFn(key), riskgate.WithHTTPClient(patient))
}

// verdict is ALLOW or BLOCK where the service says so, and CHALLENGE whatever else happens.
func verdict(ctx context.Context, client *riskgate.ClientWithResponses, telemetry, device string) string {
	body := riskgate.DecideJSONRequestBody{TelemetryId: &telemetry, DeviceId: &device}
	answer, err := client.DecideWithResponse(ctx, &riskgate.DecideParams{}, body)
	if err != nil || answer.JSON200 == nil || answer.JSON200.Mode != nil {
		return "CHALLENGE"
	}
	switch decision := string(answer.JSON200.Decision); decision {
	case "ALLOW", "BLOCK":
		return decision
	default:
		return "CHALLENGE"
	}
}
