// Asks for a decision and for readiness with the client that oapi-codegen makes.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"example.test/ask/riskgate"
)

func main() {
	key := riskgate.WithRequestEditorFn(func(_ context.Context, request *http.Request) error {
		request.Header.Set("Authorization", "Bearer "+os.Args[2])
		return nil
	})
	client, err := riskgate.NewClientWithResponses(os.Args[1], key)
	if err != nil {
		panic(err)
	}
	telemetry, device := "allow", "active"
	body := riskgate.DecideJSONRequestBody{TelemetryId: &telemetry, DeviceId: &device}
	answer, err := client.DecideWithResponse(context.Background(), &riskgate.DecideParams{}, body)
	if err != nil || answer.JSON200 == nil {
		panic(fmt.Sprint(err, answer))
	}
	ready, err := client.ReadyzWithResponse(context.Background())
	if err != nil || ready.JSON200 == nil {
		panic(fmt.Sprint(err, ready))
	}
	fmt.Println(answer.JSON200.Decision, ready.JSON200.Status)
}
