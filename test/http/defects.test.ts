import { randomUUID } from 'node:crypto';
import t from 'tap';
import { createTestApp } from '../support/test-app.ts';

const REQUEST = { headers: { 'x-request-id': 'defective' } };

/** An app whose decisions fail by a defect of its own, once the evidence is there. */
async function openDefective(t: Parameters<typeof createTestApp>[0]) {
  let isStarted = false;
  const app = await createTestApp(t, {
    newId: () => {
      if (!isStarted) return randomUUID();
      throw new TypeError('a defect that quotes canary-telemetry');
    },
  });
  isStarted = true;
  return app;
}

t.test('answers a defect of its own with a problem that gives nothing away, cold and warm', async (t) => {
  const app = await openDefective(t);
  for (const state of ['cold', 'warm']) {
    const { status, headers, json, text } = await app.refused(
      { telemetry_id: 'allow', device_id: 'active' },
      REQUEST,
    );
    t.equal(status, 500, state);
    t.match(headers['content-type'], /^application\/problem\+json/);
    t.match(json, { status: 500, code: 'internal', request_id: 'defective' });
    t.notMatch(text, /canary|TypeError|\.ts|ALLOW/);
  }
});

t.test('logs a defect once, by where it happened and without what it says', async (t) => {
  const app = await openDefective(t);
  await app.refused({ telemetry_id: 'allow', device_id: 'active' }, REQUEST);
  const lines = app.logs.filter(({ event }) => event === 'request.failed');
  t.equal(lines.length, 1);
  t.match(lines[0], {
    level: 'error',
    request_id: 'defective',
    err: { name: 'TypeError', frames: [/test-app|defects/] },
  });
  t.notMatch(app.logText(), /canary/);
});

t.test('goes on serving after a defect', async (t) => {
  const app = await openDefective(t);
  await app.refused({ telemetry_id: 'allow' }, REQUEST);
  t.equal((await app.ask('GET', '/livez', REQUEST)).status, 200);
});
