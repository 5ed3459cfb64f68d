import t from 'tap';
import { toSharedAnswer } from '../../src/gateways/answer.ts';
import type { GatewayDialect, GatewayResult } from '../../src/gateways/definition.ts';
import { DIALECTS, indexDialects } from '../../src/gateways/registry.ts';

const RESULT: GatewayResult = {
  decision: 'BLOCK',
  decisionId: null,
  reasons: [],
  effect: { kind: 'forbid' },
  caching: null,
  retryAfterSeconds: null,
  acrValues: null,
  maxAgeSeconds: null,
};
const fake = (id: string): GatewayDialect => ({
  id,
  originalHeaders: null,
  toOriginal: () => null,
  toAnswer: (result) => toSharedAnswer(result, null),
});

t.test('the dialects are those of the contract', async (t) => {
  const index = indexDialects(DIALECTS);
  t.ok(DIALECTS.length >= 3);
  t.same(
    index.ok && [...index.value.keys()],
    DIALECTS.map(({ id }) => id),
  );
});

t.test('refuses ids that are ill-formed or used twice', async (t) => {
  for (const ids of [['a', 'a'], ['A'], [''], ['a/b'], ['1a'], ['a_b']])
    t.equal(indexDialects(ids.map(fake)).ok, false, ids.join());
});

const EFFECTS: readonly GatewayResult['effect'][] = [
  { kind: 'allow' },
  { kind: 'challenge' },
  { kind: 'forbid' },
  { kind: 'refuse' },
  { kind: 'redirect', url: 'https://login.example/' },
];

for (const dialect of DIALECTS) {
  t.test(
    `${dialect.id}: fact 4: every answer has the three headers and a Cache-Control, none of them empty`,
    async (t) => {
      for (const effect of EFFECTS) {
        for (const reasons of [
          [],
          ['A', 'B'],
          ['\r\nx: y', 'é'],
          Array.from({ length: 500 }, (_, n) => `CODE_${n}`),
        ]) {
          const { headers } = dialect.toAnswer({ ...RESULT, effect, reasons });
          for (const name of ['x-risk-decision', 'x-risk-decision-id', 'x-risk-reasons', 'cache-control'])
            t.match(headers[name], /^[\x21-\x7e][\x20-\x7e]{0,511}$/, `${effect.kind} ${name}`);
          for (const [name, value] of Object.entries(headers)) {
            t.match(name, /^[a-z0-9-]+$/);
            t.match(value, /^[\x20-\x7e]+$/, name);
          }
        }
      }
    },
  );

  t.test(
    `${dialect.id}: fact 1: answers with statuses that survive, but for what a profile or an outage wants`,
    async (t) => {
      const statuses = EFFECTS.map((effect) => dialect.toAnswer({ ...RESULT, effect }).status);
      t.same(statuses, [200, 401, 403, 503, dialect.id === 'nginx' ? 401 : 302]);
    },
  );

  t.test(`${dialect.id}: the body of a refusal says what was decided, and not why`, async (t) => {
    const { body, headers } = dialect.toAnswer({ ...RESULT, reasons: ['TELEMETRY_NOT_FOUND'] });
    t.same(JSON.parse(body), { decision: 'BLOCK', decision_id: null });
    t.match(headers['content-type'], /^application\/json/);
  });
}

t.test(
  'nginx gets the Location of a redirect on a 401, which its configuration turns into one',
  async (t) => {
    const [nginx] = DIALECTS;
    const effect = { kind: 'redirect', url: 'https://login.example/' } as const;
    const answer = nginx?.toAnswer({ ...RESULT, decision: 'CHALLENGE', effect });
    t.match(answer, {
      status: 401,
      headers: { location: 'https://login.example/', 'www-authenticate': /^Bearer / },
    });
  },
);
