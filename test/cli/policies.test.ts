import { hash as digest } from 'node:crypto';
import t from 'tap';
import { startRedisServer } from '../support/redis-server.ts';
import { runCommand } from '../support/run-cli.ts';
import { createTestApp, KEYS, until } from '../support/test-app.ts';

const TEXT =
  "policy: first\notherwise: ALLOW\nrules:\n  - {id: r, when: '!stytch.found', verdict: BLOCK, reason: R}\n";
const HASH = `sha256:${digest('sha256', TEXT)}`;
const OTHER = `sha256:${'0'.repeat(64)}`;

const redis = await startRedisServer(t);
const app = await createTestApp(t, { policy: TEXT, env: { REDIS_URL: redis.url } });
const url = `http://127.0.0.1:${await app.listen()}`;
const run = (args: readonly string[], key: string = KEYS.admin) =>
  runCommand(['policies', ...args, '--url', url], { env: { RISKGATE_API_KEY: key } });

t.test('lists, shows, restores and releases policies of a service', async (t) => {
  await until('it has come into force', async () => (await run(['list'], KEYS.read)).text.includes(HASH));
  t.match(await run(['list'], KEYS.read), {
    code: 0,
    text: new RegExp(`^\\S+Z {2}file +${HASH} {2}first\n$`),
  });
  const shown = await run(['show', HASH], KEYS.read);
  t.equal(shown.text, TEXT);
  t.match(await run(['restore', HASH]), { code: 0, text: /restored {5}\S+ {2}first {2}by admin\n$/ });
  t.match(await run(['restore', HASH]), { code: 3, err: /answers 409: This policy is in force/ });
  const listed = await run(['list', '--json'], KEYS.read);
  t.match(listed.json, { policies: [{ why: 'restored', by: 'admin' }, { why: 'file' }], kept_in: 'redis' });
  t.match(await run(['release']), { code: 0, text: /released/ });
  t.match(await run(['release']), { code: 2, err: /Nothing is in force over the files/ });
});

t.test('says what it was not given, and what a service refuses', async (t) => {
  t.match(await run(['show', OTHER], KEYS.read), { code: 2, err: /No policy with this hash is known/ });
  t.match(await run(['show', 'sha256:1']), { code: 2, err: /a hash is/ });
  t.match(await run(['restore', HASH], KEYS.read), { code: 3, err: /answers 403/ });
  t.match(await runCommand(['policies', 'list', '--url', url]), { code: 2, err: /scope read/ });
  t.match(await runCommand(['policies', 'release', '--url', url]), { code: 2, err: /scope admin/ });
  const env = { RISKGATE_API_KEY: KEYS.read };
  t.match(await runCommand(['policies', 'list', '--url', 'nowhere'], { env }), { code: 2, err: /no http/ });
  const nobody = await runCommand(['policies', 'list', '--url', 'http://127.0.0.1:1'], { env });
  t.match(nobody, { code: 3, err: /does not answer/ });
});

t.test('says what is wrong with an address, in place of that nobody answers', async (t) => {
  const env = { RISKGATE_API_KEY: KEYS.read };
  const list = (url: string) => runCommand(['policies', 'list', '--url', url], { env });
  for (const url of ['riskgate.internal', 'ftp://127.0.0.1:9'])
    t.match(await list(url), { code: 2, err: /--url is no http:\/\/ or https:\/\/ URL/ }, url);
  const { code, err } = await list('http://somebody:secret@127.0.0.1:9');
  t.match({ code, err }, { code: 2, err: /must not hold a user or a password/ });
  t.notMatch(err, 'secret');
});
