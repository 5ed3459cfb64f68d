import t from 'tap';
import type { Delivery, StrictDelivery } from '../../../src/application/decision-log/decision-log.ts';
import { createRecordDecision } from '../../../src/application/decision-log/record-decision.ts';
import type { Asking } from '../../../src/application/settle-decision.ts';
import type { Decision } from '../../../src/domain/decision.ts';
import {
  type DecisionRecord,
  idOf,
  logRecordSchema,
} from '../../../src/domain/decision-log/decision-record.ts';
import { toRecordedRequest } from '../../../src/domain/decision-log/recorded-request.ts';
import type { Subject } from '../../../src/domain/subject.ts';
import { toRfc3339 } from '../../../src/platform/rfc3339.ts';
import { uuidAt } from '../../support/decision-records.ts';

const SUBJECT: Subject = {
  telemetryId: 'canary-telemetry',
  device: { kind: 'shared', id: 'canary-device' },
  accountId: 'canary-account',
  action: 'login',
  ip: '203.0.113.7',
  userAgent: 'canary-agent',
};
const ASKING: Asking = { caller: 'shop', entryPoint: 'decide', requestId: 'request-1' };

const DECISION: Decision = {
  id: uuidAt(0, 1),
  verdict: 'BLOCK',
  reasons: [{ code: 'BAD', rule: 'bad', verdict: 'BLOCK', providers: ['stytch'], certain: true }],
  waivers: [],
  degraded: false,
  evidence: [
    {
      provider: 'stytch',
      outcome: 'ok',
      origin: 'memory',
      latencyMs: 1.23456,
      ageMs: 20,
      upstreamRequestId: 'upstream-1',
      signals: { found: true, action: 'BLOCK', country: 'AU', age_seconds: 3 },
      stored: { found: true, action: 'BLOCK', country: 'AU' },
      suspect: false,
    },
    {
      provider: 'mobilerun',
      outcome: 'ok',
      origin: 'miss',
      latencyMs: 5,
      ageMs: 0,
      upstreamRequestId: null,
      signals: { found: true, model: 'x' },
      stored: { found: true, model: 'x' },
      suspect: false,
    },
    {
      provider: 'prefactor',
      outcome: 'timeout',
      origin: 'miss',
      latencyMs: 9,
      ageMs: 0,
      upstreamRequestId: null,
      signals: null,
      stored: null,
      suspect: false,
    },
  ],
  request: toRecordedRequest({
    telemetry_id_present: true,
    device_id_present: true,
    device_id_given: true,
    ip: '203.0.113.7',
    account_id: 'canary-account',
  }),
  place: null,
  visitor: 'visitor-hash',
  facts: {
    activity: { account: 'unknown' },
    step_up: 'none',
    lists: null,
    shared: null,
    contradictions: null,
  },
  custody: { uses: 1, age_seconds: 0, bound_elsewhere: false, omits_device: false, omits_account: false },
  challenge: null,
  trace: [{ rule: 'bad', result: 'true' }],
  policy: { id: 'p', hash: 'sha256:1' },
  decidedAtMs: Date.UTC(2026, 0, 1),
  expiresAtMs: 0,
  latencyMs: 10.004,
};

function open(strictAnswers: readonly boolean[] = []) {
  const records: DecisionRecord[] = [];
  const lossy: Delivery = {
    sink: 'memory',
    deliver: (record) => void records.push(record as DecisionRecord),
    usage: () => ({ sink: 'memory', appended: 0, dropped: 0, failures: 0, waiting: 0 }),
    isBehind: () => false,
    close: async () => {},
  };
  const asked: string[] = [];
  const strict = strictAnswers.map(
    (answer, place): StrictDelivery => ({
      ...lossy,
      health: () => 'taking',
      deliver: async (record) => {
        asked.push(`${place} ${idOf(record)}`);
        return answer;
      },
    }),
  );
  const options = {
    strict,
    lossy: [lossy],
    hashes: {
      keyId: '0a1b2c3d',
      telemetry: (id: string) => `t(${id.length})`,
      device: (id: string) => `d(${id.length})`,
      account: (id: string) => `a(${id.length})`,
      ip: (id: string) => `i(${id.length})`,
      network: (id: string) => `n(${id.length})`,
    },
    formatTime: toRfc3339,
    engine: '1.2.3',
  };
  return { options, records, asked };
}

t.test('records a decision without any raw identifier, and stays in place', async (t) => {
  const { options, records } = open();
  const recorded = createRecordDecision(options)(DECISION, SUBJECT, ASKING);
  t.equal(recorded, undefined, 'no promise');
  t.strictSame(JSON.parse(JSON.stringify(records)), [
    {
      version: 1,
      kind: 'decision',
      decision_id: DECISION.id,
      decided_at: '2026-01-01T00:00:00.000Z',
      decision: 'BLOCK',
      degraded: false,
      reasons: DECISION.reasons,
      waivers: [],
      caller: 'shop',
      entry_point: 'decide',
      action: 'login',
      request_id: 'request-1',
      subject: {
        hash_key: '0a1b2c3d',
        telemetry: 't(16)',
        devices: ['d(13)'],
        account: 'a(14)',
        ip: 'i(11)',
        network: 'n(11)',
        visitor: 'visitor-hash',
        place: null,
      },
      request: {
        telemetry_id_present: true,
        device_id_present: true,
        device_id_given: true,
        account_id: 'given',
        ip: 'given',
        user_agent: 'absent',
      },
      providers: {
        stytch: {
          outcome: 'ok',
          cache: 'hit',
          cache_level: 'memory',
          latency_ms: 1.23,
          age_ms: 20,
          request_id: 'upstream-1',
          suspect: false,
          signals: { found: true, action: 'BLOCK', country: 'AU', age_seconds: 3 },
        },
        mobilerun: {
          outcome: 'ok',
          cache: 'miss',
          cache_level: null,
          latency_ms: 5,
          age_ms: 0,
          request_id: null,
          suspect: false,
          signals: { found: true, model: 'x' },
        },
        prefactor: {
          outcome: 'timeout',
          cache: 'miss',
          cache_level: null,
          latency_ms: 9,
          age_ms: 0,
          request_id: null,
          suspect: false,
          signals: null,
        },
      },
      custody: { result: 'first_use', signals: DECISION.custody },
      activity: { account: 'unknown' },
      step_up: 'none',
      lists: null,
      shared: null,
      contradictions: null,
      policy: { id: 'p', hash: 'sha256:1' },
      engine: '1.2.3',
      latency_ms: 10,
      rules: [{ rule: 'bad', result: 'true' }],
    },
  ]);
  t.notMatch(JSON.stringify(records), /canary|203\.0\.113/);
  t.ok(logRecordSchema.safeParse(records[0]).success);
});

t.test('records who asked at which entry point about what', async (t) => {
  const { options, records } = open();
  const record = createRecordDecision(options);
  const decision = { ...DECISION, custody: 'none' as const };
  const named = new Map([
    ['mobilerun', 'one'],
    ['prefactor', 'one'],
    ['other', null],
  ]);
  record(decision, { telemetryId: null, device: { kind: 'named', ids: named } }, ASKING);
  const atGateway = { caller: 'gateway:edge', entryPoint: 'nginx', requestId: 'request-2' };
  record(decision, { telemetryId: '', device: { kind: 'shared', id: null } }, atGateway);
  const [first, second] = records;
  t.match(first, { caller: 'shop', entry_point: 'decide', action: null, request_id: 'request-1' });
  const nobody = {
    telemetry: null,
    account: null,
    ip: null,
    network: null,
    visitor: 'visitor-hash',
    place: null,
  };
  t.strictSame(first?.subject, { ...nobody, hash_key: '0a1b2c3d', devices: ['d(3)'] });
  t.strictSame(first?.custody, { result: 'none', signals: null });
  t.match(second, { caller: 'gateway:edge', entry_point: 'nginx', request_id: 'request-2' });
  t.strictSame(second?.subject, { ...nobody, hash_key: '0a1b2c3d', devices: [] });
});

t.test('has recorded when every strict sink holds the record', async (t) => {
  const { options, records, asked } = open([true, true]);
  await createRecordDecision(options)(DECISION, SUBJECT, ASKING);
  t.same(asked, [`0 ${DECISION.id}`, `1 ${DECISION.id}`]);
  t.equal(records.length, 1);
});

t.test('rejects when one of them does not, and hands the record to no other sink', async (t) => {
  const { options, records } = open([true, false]);
  await t.rejects(createRecordDecision(options)(DECISION, SUBJECT, ASKING) ?? Promise.resolve(), {
    code: 'decision_log_unavailable',
  });
  t.same(records, []);
});

t.test('keeps what candidates came to beside the decision', async (t) => {
  const { options, records } = open();
  const results = [
    { policy: { id: 'next', hash: 'sha256:01' }, decision: 'ALLOW', reasons: [], not_judged: null },
  ] as const;
  createRecordDecision(options, {
    judgeNow: () => results,
    judgeLater: (_decision, _subject, tell) => tell(results),
  })(DECISION, SUBJECT, ASKING);
  t.match(records, [{ decision: 'BLOCK', candidates: results }]);
});
