import fc from 'fast-check';
import t from 'tap';
import type { DecisionEvent } from '../../src/application/observers.ts';
import type { Decision, EvidenceUse } from '../../src/domain/decision.ts';
import { createDecisionLine } from '../../src/observers/decision-line.ts';
import { createLogger } from '../../src/platform/logger.ts';
import { createTestApp, startEmulators } from '../support/test-app.ts';

type Suspect = Pick<EvidenceUse, 'provider' | 'outcome' | 'suspect'>;

const CLOSED = {
  verdict: 'CHALLENGE',
  waivers: [],
  policy: { id: 'default', hash: 'sha256:712c1ad1' },
} as const;

function toEvent(
  of: Pick<DecisionEvent, 'caller' | 'requestId' | 'action'>,
  codes: readonly string[],
  evidence: readonly Suspect[],
  more: Pick<Decision, 'custody' | 'degraded' | 'latencyMs'>,
): DecisionEvent {
  const reasons = codes.map((code) => ({ code }));
  const decision = { id: '01a22935-b079-7cb5-b706-5669e85cd5cb', ...CLOSED, ...more, reasons, evidence };
  return { ...of, decision: decision as unknown as Decision };
}

/** The line as pino writes it of an object. */
function toPinoLine(level: string, { decision, caller, requestId, action }: DecisionEvent): string {
  const { custody } = decision;
  const suspect = decision.evidence.filter((use) => use.suspect).map(({ provider }) => provider);
  return linesOf(level, (logger) =>
    logger.info({
      event: 'decision.made',
      decision_id: decision.id,
      request_id: requestId,
      caller,
      action,
      decision: decision.verdict,
      reason_codes: decision.reasons.map(({ code }) => code),
      degraded: decision.degraded,
      provider_outcomes: Object.fromEntries(
        decision.evidence.map(({ provider, outcome }) => [provider, outcome]),
      ),
      ...(suspect.length > 0 && { provider_suspect: suspect }),
      custody_result: typeof custody === 'string' ? custody : 'repeated',
      policy_hash: decision.policy.hash,
      latency_ms: Math.round(decision.latencyMs * 100) / 100,
    }),
  );
}

function linesOf(
  level: string,
  write: (logger: ReturnType<typeof createLogger>['logger']) => unknown,
): string {
  const lines: string[] = [];
  write(createLogger(level, { write: (line) => void lines.push(line) }).logger);
  return lines.join('');
}

const withoutTime = (line: string) => line.replace(/"time":"[^"]{24}"/, '"time":""');

// Pino leaves half a surrogate pair as it is, which no UTF-8 can hold.
const text = fc.string({
  unit: fc.oneof(fc.constantFrom('"', '\\', '\n', '\u0000', '\u007f', 'é', '💥'), fc.string()),
});
const evidence = fc.array(
  fc.record<Suspect>({
    provider: fc.constantFrom('mobilerun', 'prefactor', 'stytch'),
    outcome: fc.constantFrom('ok', 'not_found', 'timeout', 'circuit_open'),
    suspect: fc.boolean(),
  }),
  { maxLength: 3 },
);
const events = fc
  .tuple(
    fc.record({ caller: text, requestId: text, action: fc.option(text) }),
    fc.array(text, { maxLength: 4 }),
    evidence.map((uses) =>
      uses.filter((use, place) => uses.findIndex((one) => one.provider === use.provider) === place),
    ),
    fc.record({
      custody: fc.constantFrom<Decision['custody']>('none', 'unknown', {
        uses: 2,
        age_seconds: 1,
        bound_elsewhere: false,
        omits_device: false,
        omits_account: false,
      }),
      degraded: fc.boolean(),
      latencyMs: fc.double({ min: 0, max: 20_000, noNaN: true }),
    }),
  )
  .map((parts) => toEvent(...parts));

t.test('writes the line that pino would, byte for byte', async (t) => {
  fc.assert(
    fc.property(events, (event) => {
      const own = linesOf('info', (logger) => createDecisionLine(logger).onDecision(event));
      t.equal(own.endsWith('}\n'), true);
      return withoutTime(own) === withoutTime(toPinoLine('info', event));
    }),
  );
  t.pass();
});

t.test('escapes half a surrogate pair as JSON does', async (t) => {
  const event = toEvent({ caller: '\ud800', requestId: '"\udfff', action: 'a\\' }, [], [], {
    custody: 'none',
    degraded: false,
    latencyMs: 0,
  });
  const line = linesOf('info', (logger) => createDecisionLine(logger).onDecision(event));
  t.match(line, String.raw`"request_id":"\"\udfff","caller":"\ud800","action":"a\\",`);
  t.match(JSON.parse(line), { caller: '\ud800', request_id: '"\udfff', action: 'a\\' });
});

t.test('writes nothing where lines of its level are not logged, and its line among the others', async (t) => {
  const event = toEvent({ caller: 'c', requestId: 'r', action: null }, [], [], {
    custody: 'none',
    degraded: false,
    latencyMs: 0,
  });
  t.equal(
    linesOf('warn', (logger) => createDecisionLine(logger).onDecision(event)),
    '',
  );
  const mixed = linesOf('info', (logger) => {
    logger.info({ event: 'first' });
    createDecisionLine(logger).onDecision(event);
    logger.info({ event: 'last' });
  });
  const order = mixed
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { event: string }).event);
  t.same(order, ['first', 'decision.made', 'last']);
});

t.test(
  'a service writes it where no decision log records the decision, or where it is told to',
  async (t) => {
    const emulators = await startEmulators(t);
    const made = async (env: Record<string, string>) => {
      const app = await createTestApp(t, { emulators, env });
      await app.decide({ telemetry_id: 'allow', device_id: 'active' });
      return app.events().filter((event) => event === 'decision.made').length;
    };
    const byDefault = { LOG_DECISIONS: '' };
    t.equal(await made(byDefault), 0);
    t.equal(await made({ ...byDefault, DECISION_LOG: 'stdout' }), 0);
    t.equal(await made({ ...byDefault, DECISION_LOG: 'off' }), 1);
    t.equal(await made({ LOG_DECISIONS: 'off', DECISION_LOG: 'off' }), 1);
    t.equal(await made({ LOG_DECISIONS: 'on' }), 1);
  },
);
