import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openBrowser } from '../support/relying-party.ts';
import { ROOT, startProgram } from '../support/start-program.ts';
import { patienceOf } from '../support/start-service.ts';
import { createTestApp, KEYS, until } from '../support/test-app.ts';
import { fencesOf, readText } from './markdown.ts';

/** The example of docs/identity-provider.md: a certified OpenID provider that asks riskgate in its sign-in. */
const EXAMPLE = join(ROOT, 'docs/identity-provider');
const REDIRECT_URI = 'http://127.0.0.1:4000/callback';
const PASSWORD = { user: 'alice', password: 'wonderland' };
const ONE_FACTOR = { claims: { sub: 'acct-alice', acr: 'urn:example:pwd', amr: ['pwd'] } };
const TWO_FACTORS = { claims: { sub: 'acct-alice', acr: 'urn:example:2fa', amr: ['pwd', 'otp'] } };

async function open(t: Test) {
  const app = await createTestApp(t, { env: patienceOf(10_000) });
  const command = [
    process.execPath,
    '--import',
    join(ROOT, 'test/support/client-of-checkout.ts'),
    join(EXAMPLE, 'main.js'),
  ] as const;
  const env = {
    PORT: '0',
    RISKGATE_URL: `http://127.0.0.1:${await app.listen()}`,
    RISKGATE_API_KEY: KEYS.decide,
  };
  const program = await startProgram(t, command, { env });
  const [, issuer = ''] = await program.until(/^issuer: (\S+)$/m);
  let codes = 0;
  /** The next code that was sent. */
  const code = async () => {
    codes += 1;
    const [all] = await program.until(new RegExp(`(?:code for acct-alice: \\d{6}[^]*?){${codes}}`));
    return all.match(/\d{6}/g)?.at(-1) ?? '';
  };
  const browser = () => openBrowser(issuer, 'shop', REDIRECT_URI);
  /** How the latest decision turned out. */
  const latest = async () => {
    const { json } = await app.ask<{ decisions: { decision: string; labels?: unknown }[] }>(
      'GET',
      '/v1/decisions?limit=1',
    );
    return json.decisions[0];
  };
  return { app, program, browser, code, latest };
}

t.test('an ALLOW needs the password alone', async (t) => {
  const { browser, latest, app } = await open(t);
  const authorization = await (await browser()).begin();
  t.match(authorization.page, /name="password"/);
  t.match(await authorization.submit({ ...PASSWORD, password: 'wrong' }), { status: 401, page: /password/ });
  const asked = await app.ask<{ decisions: unknown[] }>('GET', '/v1/decisions');
  t.strictSame(asked.json.decisions, [], 'riskgate is not asked about a wrong password');
  const ended = await authorization.submit({ ...PASSWORD, telemetry_id: 'allow-1', device_id: 'active' });
  t.match(ended, ONE_FACTOR);
  await until('the decision is recorded', async () => (await latest())?.decision === 'ALLOW');
});

t.test('a CHALLENGE needs the second factor, and what came of it is told', async (t) => {
  const { browser, code, latest } = await open(t);
  const ids = { telemetry_id: 'challenge-1', device_id: 'active' };
  const first = await (await browser()).begin();
  t.match(await first.submit({ ...PASSWORD, ...ids }), { status: 200, page: /name="code"/ });
  t.match(await first.submit({ code: 'nonsense' }), { status: 401, page: /not the code/ });
  t.match(await first.submit({ code: await code() }), TWO_FACTORS);
  t.match(await latest(), { decision: 'CHALLENGE' });
  t.match(JSON.stringify(await latest()), /challenge_passed/);
  const again = await (await browser()).begin();
  t.match(await again.submit({ ...PASSWORD, ...ids }), ONE_FACTOR, 'the step-up satisfies for a while');
  const other = await (await browser()).begin();
  t.match(await other.submit({ ...PASSWORD, ...ids, telemetry_id: 'challenge-2' }), { page: /name="code"/ });
  await code();
  for (const wrong of ['1', '2']) t.match(await other.submit({ code: wrong }), { status: 401 });
  t.strictSame(await other.submit({ code: '3' }), { error: 'access_denied' });
  t.match(JSON.stringify(await latest()), /challenge_failed/);
});

t.test('a BLOCK refuses whoever has the right password', async (t) => {
  const { browser } = await open(t);
  const blocked = await (await browser()).begin();
  const ids = { telemetry_id: 'forged', device_id: 'active' };
  t.strictSame(await blocked.submit({ ...PASSWORD, ...ids }), { error: 'access_denied' });
  const without = await (await browser()).begin();
  t.strictSame(
    await without.submit(PASSWORD),
    { error: 'access_denied' },
    'ids that are not there are unknown ids',
  );
});

t.test('a session is asked about again, and is worth nothing to a blocked device', async (t) => {
  const { browser, code } = await open(t);
  const { begin } = await browser();
  const ids = { telemetry_id: 'allow-3', device_id: 'active' };
  t.match(await (await begin()).submit({ ...PASSWORD, ...ids }), ONE_FACTOR);
  const second = await begin();
  t.equal(second.ended, null, 'nobody is let in by the session alone');
  t.notMatch(second.page, /password/);
  t.match(await second.submit(ids), ONE_FACTOR);
  const challenged = await begin();
  t.match(await challenged.submit({ telemetry_id: 'challenge-3', device_id: 'active' }), {
    page: /name="code"/,
  });
  t.match(await challenged.submit({ code: await code() }), TWO_FACTORS);
  const blocked = await begin();
  t.strictSame(await blocked.submit({ telemetry_id: 'forged', device_id: 'active' }), {
    error: 'access_denied',
  });
});

t.test('without riskgate everybody needs the second factor', async (t) => {
  const { app, program, browser, code } = await open(t);
  await app.close();
  const authorization = await (await browser()).begin();
  const ids = { telemetry_id: 'allow-4', device_id: 'active' };
  t.match(await authorization.submit({ ...PASSWORD, ...ids }), { page: /name="code"/ });
  await program.until(/riskgate gave no decision: network/);
  t.match(await authorization.submit({ code: await code() }), TWO_FACTORS);
});

t.test('the page shows the question as the example asks it', async (t) => {
  const [shown] = fencesOf(readText('docs/identity-provider.md'), 'js').map(({ text }) =>
    withoutIndent(text),
  );
  const asked = withoutIndent(readFileSync(join(EXAMPLE, 'sign-in.js'), 'utf8'));
  t.ok(shown !== undefined && asked.includes(shown), 'word for word');
});

function withoutIndent(text: string): string {
  return text.replaceAll(/^ +/gm, '').trim();
}

t.test('its packages are those that it was tested with', async (t) => {
  const read = (path: string) =>
    JSON.parse(readFileSync(join(ROOT, path), 'utf8')) as Record<string, Record<string, string>>;
  const { devDependencies = {} } = read('package.json');
  const { dependencies = {} } = read('docs/identity-provider/package.json');
  t.equal(Object.keys(dependencies).length, 1);
  for (const [name, version] of Object.entries(dependencies)) t.equal(version, devDependencies[name], name);
});
