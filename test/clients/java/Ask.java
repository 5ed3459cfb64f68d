import org.openapitools.client.ApiClient;
import org.openapitools.client.api.HealthApi;

/** Asks for decisions and for readiness with the client that openapi-generator makes. */
public final class Ask {
  public static void main(String[] arguments) throws Exception {
    Verdict verdict = new Verdict(arguments[0], arguments[1]);
    String lost = new Verdict("http://127.0.0.1:9", arguments[1]).about("allow", "active");
    ApiClient client = new ApiClient();
    client.updateBaseUri(arguments[0]);
    String ready = new HealthApi(client).readyz().getStatus().getValue();
    String allowed = verdict.about("allow", "active");
    System.out.println(allowed + " " + verdict.about("forged", "active") + " " + lost + " " + ready);
  }
}
