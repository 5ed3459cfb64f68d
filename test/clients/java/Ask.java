import org.openapitools.client.ApiClient;
import org.openapitools.client.api.DecisionsApi;
import org.openapitools.client.api.HealthApi;
import org.openapitools.client.model.DecideRequest;

/** Asks for a decision and for readiness with the client that openapi-generator makes. */
public final class Ask {
  public static void main(String[] arguments) throws Exception {
    ApiClient client = new ApiClient();
    client.updateBaseUri(arguments[0]);
    client.setRequestInterceptor(request -> request.header("Authorization", "Bearer " + arguments[1]));
    DecideRequest request = new DecideRequest().telemetryId("allow").deviceId("active");
    String decision = new DecisionsApi(client).decide(request, null, null, null, null).getDecision().getValue();
    System.out.println(decision + " " + new HealthApi(client).readyz().getStatus().getValue());
  }
}
