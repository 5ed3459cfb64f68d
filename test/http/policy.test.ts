import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { readYaml } from '../support/read-yaml.ts';
import { createTestApp, startEmulators } from '../support/test-app.ts';

interface PolicyBody {
  readonly id: string;
  readonly hash: string;
  readonly document: { readonly otherwise: string; readonly rules: readonly Record<string, unknown>[] };
  readonly inert: readonly { rule: string; kind: string; providers: string[]; why: string }[];
}

const emulators = await startEmulators(t);

t.test('shows the document in force, with its hash', async (t) => {
  const app = await createTestApp(t, { emulators });
  const { status, headers, json } = await app.ask<PolicyBody>('GET', '/v1/policy');
  t.equal(status, 200);
  t.equal(headers['cache-control'], 'no-store');
  const text = readFileSync(app.policyFile, 'utf8');
  t.equal(json.id, 'default');
  t.equal(json.hash, `sha256:${hash('sha256', text)}`);
  t.match(json.document, readYaml(text), 'as the file says');
  t.ok(
    json.document.rules.every((rule) => 'on_unknown' in rule && 'exempt' in rule),
    'with defaults filled in',
  );
  t.strictSame(json.inert, []);
});

t.test('names the rules that a disabled provider makes inert, and why', async (t) => {
  const app = await createTestApp(t, { emulators, disabled: ['prefactor'] });
  const { json } = await app.ask<PolicyBody>('GET', '/v1/policy');
  const expected = [
    'prefactor-device-not-found',
    'prefactor-device-not-found-suspect',
    'device-revoked',
    'device-status-unknown',
  ];
  t.same(
    json.inert.map(({ rule }) => rule),
    expected,
  );
  for (const inert of json.inert) {
    t.match(inert, { kind: 'inert', providers: ['prefactor'], why: /prefactor/ });
  }
});

t.test('tells a rule that can still speak from one that cannot', async (t) => {
  const policy = `policy: mixed
otherwise: ALLOW
rules:
  - {id: either, when: '!stytch.found || !prefactor.found', verdict: BLOCK, reason: EITHER}
  - {id: both, when: '!stytch.found && !prefactor.found', verdict: BLOCK, reason: BOTH}
  - {id: none, when: 'request.telemetry_id_present', verdict: CHALLENGE, reason: NONE}
`;
  const app = await createTestApp(t, { emulators, policy, disabled: ['prefactor', 'mobilerun'] });
  const { json } = await app.ask<PolicyBody>('GET', '/v1/policy');
  t.match(json.inert, [
    { rule: 'either', kind: 'partial' },
    { rule: 'both', kind: 'inert' },
  ]);
  t.equal(json.inert.length, 2);
});

t.test('shows the parameters, with the names in the conditions that read them', async (t) => {
  const policy = `policy: mine
otherwise: ALLOW
parameters:
  stale_after: {type: duration, value: 30m, description: How old.}
  refused: {type: list<string>, value: [X, Y]}
rules:
  - {id: stale, when: 'telemetry.age_seconds > params.stale_after', verdict: CHALLENGE, reason: STALE}
  - {id: refused, when: 'stytch.found && stytch.action in params.refused', verdict: BLOCK, reason: REFUSED}
`;
  const app = await createTestApp(t, { emulators, policy });
  const { json } = await app.ask<PolicyBody>('GET', '/v1/policy');
  t.match(json.document, {
    parameters: {
      stale_after: { type: 'duration', value: '30m', description: 'How old.' },
      refused: { type: 'list<string>', value: ['X', 'Y'] },
    },
    rules: [{ when: 'telemetry.age_seconds > params.stale_after' }, {}],
  });
});
