import fc from 'fast-check';
import t from 'tap';
import type { DecisionRecord } from '../../../../src/domain/decision-log/decision-record.ts';
import {
  hideSubject,
  packSubject,
  showSubject,
} from '../../../../src/stores/decision-log/sqlite/entry-subjects.ts';

type Subject = DecisionRecord['subject'];

const HASHES = ['a', 'b', 'c'].map((digit) => digit.repeat(32));

t.test('shows a subject again as it was, from what was packed of it', async (t) => {
  const hash = fc.constantFrom(...HASHES);
  const odd = fc.oneof({ weight: 9, arbitrary: hash }, fc.string());
  const maybe = fc.option(odd);
  const subjects = fc.record(
    {
      hash_key: fc.string(),
      telemetry: maybe,
      devices: fc.array(odd, { maxLength: 3 }),
      account: maybe,
      ip: maybe,
      network: maybe,
      visitor: maybe,
    },
    { requiredKeys: ['telemetry', 'devices', 'account'] },
  );
  fc.assert(
    fc.property(subjects, (generated) => {
      const subject = generated as Subject;
      const packed = packSubject(subject);
      const hidden = JSON.parse(JSON.stringify(hideSubject(subject, packed)));
      return JSON.stringify(showSubject(hidden, packed)) === JSON.stringify(subject);
    }),
    { numRuns: 1000 },
  );
  t.pass();
});

t.test('hides every hash of ours', async (t) => {
  const [telemetry = '', device = '', other = ''] = HASHES;
  const subject = {
    telemetry,
    devices: [device, other],
    account: null,
    ip: other,
    network: other,
    visitor: null,
  };
  t.same(hideSubject(subject, packSubject(subject)), {
    telemetry: true,
    devices: [true, true],
    account: null,
    ip: true,
    network: true,
    visitor: null,
  });
});

t.test('shows no subject from what was packed of another', async (t) => {
  const [telemetry = ''] = HASHES;
  const subject = { telemetry, devices: [], account: null };
  const hidden = hideSubject(subject, packSubject(subject));
  t.throws(() => showSubject(hidden, new Uint8Array()), { code: 'DAMAGED' });
});
