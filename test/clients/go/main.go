// Asks for decisions and for readiness with the client that oapi-codegen makes.
package main

import (
	"context"
	"fmt"
	"os"
)

func main() {
	ctx := context.Background()
	client, err := newClient(os.Args[1], os.Args[2])
	if err != nil {
		panic(err)
	}
	lost, err := newClient("http://127.0.0.1:9", os.Args[2])
	if err != nil {
		panic(err)
	}
	ready, err := client.ReadyzWithResponse(ctx)
	if err != nil || ready.JSON200 == nil {
		panic(fmt.Sprint(err, ready))
	}
	allowed := verdict(ctx, client, "allow", "active")
	forged := verdict(ctx, client, "forged", "active")
	fmt.Println(allowed, forged, verdict(ctx, lost, "allow", "active"), ready.JSON200.Status)
}
