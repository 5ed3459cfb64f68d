import t from 'tap';
import {
  recordedRequestSchema,
  toRecordedRequest,
} from '../../../src/domain/decision-log/recorded-request.ts';
import type { RequestSignals } from '../../../src/domain/policy/request-signals.ts';

const FLAGS = { telemetry_id_present: true, device_id_present: false, device_id_given: true };

/** Every request signal, one by one and together. */
const REQUESTS: readonly RequestSignals[] = [true, false].flatMap((telemetry_id_present) =>
  [true, false].flatMap((device_id_present) =>
    [true, false].flatMap((device_id_given) =>
      [{}, { account_id: 'canary' }].flatMap((account) =>
        [{}, { ip: 'canary' }, { ipUnreadable: true }].flatMap((ip) =>
          [{}, { user_agent: 'canary' }].map((agent) => ({
            telemetry_id_present,
            device_id_present,
            device_id_given,
            ...account,
            ...ip,
            ...agent,
          })),
        ),
      ),
    ),
  ),
);

t.test('keeps of identifiers that they were there, and of the rest what it was', async (t) => {
  t.strictSame(toRecordedRequest({ ...FLAGS, action: 'login' }), {
    ...FLAGS,
    account_id: 'absent',
    ip: 'absent',
    user_agent: 'absent',
  });
  t.strictSame(toRecordedRequest({ ...FLAGS, account_id: 'a', ip: '203.0.113.7', user_agent: 'u' }), {
    ...FLAGS,
    account_id: 'given',
    ip: 'given',
    user_agent: 'given',
  });
  t.equal(toRecordedRequest({ ...FLAGS, ipUnreadable: true }).ip, 'unreadable');
});

t.test('gives one object for equal requests, another for each that differs, and no value', async (t) => {
  const recorded = REQUESTS.map((request) => toRecordedRequest(request));
  t.equal(new Set(recorded).size, 96);
  t.equal(new Set(recorded.map((one) => JSON.stringify(one))).size, 96);
  for (const [place, request] of REQUESTS.entries())
    t.equal(toRecordedRequest({ ...request }), recorded[place]);
  for (const one of recorded) t.ok(recordedRequestSchema.safeParse(one).success);
  t.notMatch(JSON.stringify(recorded), 'canary');
});
