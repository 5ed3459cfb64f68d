import java.time.Duration;
import org.openapitools.client.ApiClient;
import org.openapitools.client.api.DecisionsApi;
import org.openapitools.client.model.DecideRequest;
import org.openapitools.client.model.Decision;

/** Asks riskgate. */
public final class Verdict {
  private final DecisionsApi decisions;

  /** For the service at a URL, with an API key; waits no longer than a second and a half. */
  public Verdict(String url, String apiKey) {
    ApiClient client = new ApiClient();
    client.updateBaseUri(url);
    client.setConnectTimeout(Duration.ofMillis(1500)).setReadTimeout(Duration.ofMillis(1500));
    client.setRequestInterceptor(request -> request.header("Authorization", "Bearer " + apiKey));
    decisions = new DecisionsApi(client);
  }

  /** ALLOW or BLOCK where the service says so, and CHALLENGE whatever else happens. */
  public String about(String telemetryId, String deviceId) {
    try {
      DecideRequest request = new DecideRequest().telemetryId(telemetryId).deviceId(deviceId);
      Decision decision = decisions.decide(request, null, null, null, null);
      String verdict = decision.getMode() == null ? decision.getDecision().getValue() : "CHALLENGE";
      return verdict.equals("ALLOW") || verdict.equals("BLOCK") ? verdict : "CHALLENGE";
    } catch (Exception failure) {
      return "CHALLENGE";
    }
  }
}
