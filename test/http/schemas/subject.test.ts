import t from 'tap';
import { createSubjectFields, SUBJECT_IDS, toSubject } from '../../../src/http/schemas/subject.ts';

t.test('takes an address in any spelling, and one that no check has refused for unknown', async (t) => {
  t.match(toSubject({ ip: '[::FFFF:203.0.113.9]:443' }), { ip: '203.0.113.9', ipUnreadable: undefined });
  t.match(toSubject({ ip: '010.0.0.1' }), { ip: undefined, ipUnreadable: 'malformed' });
  t.match(toSubject({}), { ip: undefined, ipUnreadable: undefined });
});

t.test('lets a body name every part of the subject, and a purge too', async (t) => {
  const fields = Object.keys(createSubjectFields([]));
  const parts = Object.keys(SUBJECT_IDS);
  t.same([...parts].sort(), ['account_id', 'device_id', 'ip', 'telemetry_id']);
  t.same(
    parts.filter((part) => !fields.includes(part)),
    [],
  );
});
