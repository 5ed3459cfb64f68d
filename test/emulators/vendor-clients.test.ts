import { HttpClient } from '@prefactor/core';
import stytch from 'stytch';
import t from 'tap';
import { listen } from './emulated-providers.ts';

const NO_RETRIES = 0;

t.test("the vendor's Stytch client", async (t) => {
  const options = { stytch: { credentials: { projectId: 'project-test-1', secret: 'secret-test-1' } } };
  const server = await listen(t, options);
  const fingerprintOf = (secret: string) =>
    new stytch.Client({ project_id: 'project-test-1', secret, fraud_env: server.origin }).fraud.fingerprint;
  const fingerprint = fingerprintOf('secret-test-1');

  t.test('reads a verdict, its properties and the metadata it sent', async (t) => {
    const answer = await fingerprint.lookup({
      telemetry_id: 'challenge',
      external_metadata: { user_action: 'login' },
    });
    t.match(answer, {
      status_code: 200,
      telemetry_id: 'challenge',
      verdict: { action: 'CHALLENGE', reasons: [String, String] },
      properties: { network_properties: { asn: { asn: '64496' } } },
      external_metadata: { user_action: 'login' },
    });
  });

  t.test('reads the errors as Stytch errors', async (t) => {
    const expected = {
      unknown: { status_code: 404, error_type: 'telemetry_id_not_found' },
      'fault-429': { status_code: 429, error_type: 'too_many_requests' },
      'fault-500': { status_code: 500, error_type: 'internal_server_error' },
      'fault-route-not-found': { status_code: 404, error_type: 'route_not_found' },
      'error-403-use_https': { status_code: 403, error_type: 'use_https' },
    };
    for (const [telemetryId, error] of Object.entries(expected)) {
      t.match(await failureOf(fingerprint.lookup({ telemetry_id: telemetryId })), error);
    }
    t.match(await failureOf(fingerprintOf('wrong').lookup({ telemetry_id: 'allow' })), {
      status_code: 401,
      error_type: 'unauthorized_credentials',
    });
  });

  t.test('fails on answers that are not JSON and on a connection that is reset', async (t) => {
    for (const telemetryId of ['fault-503-html', 'fault-502-empty', 'fault-truncated', 'fault-reset']) {
      t.match(await failureOf(fingerprint.lookup({ telemetry_id: telemetryId })), {
        request: { data: { telemetry_id: telemetryId } },
      });
    }
  });

  t.test('takes the target of a redirect for the answer, which riskgate must not', async (t) => {
    const answer = await fingerprint.lookup({ telemetry_id: 'fault-redirect' });
    t.equal(answer.telemetry_id, 'allow');
  });

  t.test('asks once, whatever happens', async (t) => {
    server.resetCallCounts();
    await t.rejects(fingerprint.lookup({ telemetry_id: 'fault-flaky-1' }));
    t.equal(server.callCount('stytch', 'fault-flaky-1'), 1);
  });
});

t.test("the vendor's Prefactor client", async (t) => {
  const server = await listen(t, { prefactor: { credentials: { apiToken: 'token-1' } } });
  const clientOf = (maxRetries: number, apiToken = 'token-1', requestTimeout = 30_000) =>
    new HttpClient({
      apiUrl: server.origin,
      apiToken,
      agentIdentifier: 'test',
      requestTimeout,
      maxRetries,
      initialRetryDelay: 1,
      maxRetryDelay: 1,
      retryMultiplier: 1,
      retryOnStatusCodes: [429, 500, 502, 503, 504],
    });
  const fetchDevice = (id: string, client = clientOf(NO_RETRIES)) => client.request(`/api/v1/device/${id}`);

  t.test('reads the summary of a device', async (t) => {
    t.match(await fetchDevice('active'), { status: 'success', summary: { id: 'active', status: 'active' } });
    t.match(await fetchDevice('revoked'), { summary: { status: 'revoked' } });
    t.match(await fetchDevice('never-seen'), { summary: { first_seen: null, last_seen: null } });
  });

  t.test('reads the errors with their codes', async (t) => {
    t.match(await failureOf(fetchDevice('unknown')), { status: 404, responseBody: { code: 'not_found' } });
    t.match(await failureOf(fetchDevice('error-invalid_action')), {
      status: 409,
      responseBody: { code: 'invalid_action' },
    });
    t.match(await failureOf(fetchDevice('active', clientOf(NO_RETRIES, 'wrong'))), {
      status: 401,
      responseBody: { code: 'bad_authtoken' },
    });
  });

  t.test('retries a flaky answer until it is good', async (t) => {
    const answer = await fetchDevice('fault-flaky-2', clientOf(2));
    t.match(answer, { status: 'success' });
    t.equal(server.callCount('prefactor', 'fault-flaky-2'), 3);
  });

  t.test('gives up on an answer that hangs or is reset', async (t) => {
    t.match(await failureOf(fetchDevice('fault-hang', clientOf(NO_RETRIES, 'token-1', 50))), {
      name: 'HttpClientError',
    });
    t.match(await failureOf(fetchDevice('fault-reset')), { name: 'HttpClientError' });
  });

  t.test('takes an error that rides on a 200 for an answer, which riskgate must not', async (t) => {
    t.match(await fetchDevice('fault-status-error-200'), { status: 'error', code: 'unexpected' });
  });
});

/** The error of a call that must not succeed. */
async function failureOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => new Error('it succeeded'),
    (error: unknown) => error,
  );
}
