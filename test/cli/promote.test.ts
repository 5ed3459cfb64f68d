import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { runCommand } from '../support/run-cli.ts';
import { createDirectory } from '../support/test-app.ts';

const POLICY = `policy: shop
otherwise: ALLOW
rules:
  - {id: unknown-id, when: '!stytch.found', verdict: BLOCK, reason: UNKNOWN_ID}
`;
const HASH = `sha256:${'a'.repeat(64)}`;
const env = { RISKGATE_API_KEY: 'a key' };

const told = (passed: boolean) => ({
  candidate: { id: 'shop', hash: HASH },
  in_force: { id: 'shop', hash: `sha256:${'b'.repeat(64)}` },
  passed,
  checks: [
    { id: 'tests', passed: true, measured: 0, bound: null, limit: 0, detail: '2 cases pass' },
    { id: 'new_blocks', passed, measured: 0, bound: 0.001, limit: 0.005, detail: '0 of 9 decisions' },
  ],
  under_way: null,
});

interface Reply {
  readonly status: number;
  readonly body: unknown;
}

/** A service that answers each method so, and what it was asked. */
async function open(t: Test, replies: Readonly<Record<string, Reply>>) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => (text += part));
    request.on('end', () => {
      asked.push(`${request.method} ${request.url} ${text}`);
      const { status, body } = replies[request.method ?? ''] ?? { status: 500, body: null };
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  t.teardown(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const directory = createDirectory(t);
  const file = join(directory, 'shop.yaml');
  writeFileSync(file, POLICY);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const run = (command: string, ...args: string[]) =>
    runCommand([command, file, '--url', url, ...args], { env });
  return { asked, file, url, run, directory };
}

t.test('shows what of the cases would refuse a promotion', async (t) => {
  const warnings = [{ check: 'tests', detail: '1 fail: a case' }];
  const { run } = await open(t, { PUT: { status: 200, body: { candidate: {}, warnings } } });
  t.match(await run('candidate'), {
    code: 0,
    text: /warning: it cannot be promoted so: tests: 1 fail: a case/,
  });
});

t.test('registers a file with its cases as a candidate, and removes it', async (t) => {
  const { run, asked, directory } = await open(t, {
    PUT: { status: 200, body: {} },
    DELETE: { status: 200, body: {} },
  });
  t.match(await run('candidate'), { code: 0, text: /shop is a candidate, without cases\./ });
  writeFileSync(join(directory, 'shop.test.yaml'), 'cases: []\n');
  t.match(await run('candidate'), { code: 0, text: /with its cases/ });
  t.match(await run('candidate', '--remove'), { code: 0, text: /no candidate any more/ });
  t.match(await run('candidate', '--json'), { text: /"warnings": ?\[\]/ }, 'an earlier version tells none');
  asked.pop();
  const body = { policy: POLICY };
  t.same(asked, [
    `PUT /v1/policies/shop/candidate ${JSON.stringify(body)}`,
    `PUT /v1/policies/shop/candidate ${JSON.stringify({ ...body, tests: 'cases: []\n' })}`,
    'DELETE /v1/policies/shop/candidate ',
  ]);
});

t.test('shows every check, and promotes what passes them', async (t) => {
  const good = { status: 200, body: told(true) };
  const { run, asked } = await open(t, { GET: good, POST: good });
  const dry = await run('promote', '--dry-run');
  t.equal(dry.code, 0);
  t.same(dry.text.trimEnd().split('\n'), [
    'shop sha256:aaaaaaaaaaaa beside shop sha256:bbbbbbbbbbbb',
    'ok   tests       2 cases pass',
    'ok   new_blocks  0 of 9 decisions',
    'It can be promoted.',
  ]);
  t.equal(asked.length, 1);
  t.match(asked[0], /^GET \/v1\/policies\/shop\/promotion\?hash=sha256%3A[0-9a-f]{64} $/);
  t.match(await run('promote', '--share', '12.5%'), { code: 0, text: /answers 12\.5 % of accounts/ });
  t.match(asked[2], /^POST \/v1\/policies\/shop\/promote \{"hash":"sha256:[0-9a-f]{64}","share":0\.125\}$/);
  t.match(await run('promote', '--share', '7%'), { code: 0, text: /answers 7 % of accounts/ });
  t.match(await run('promote'), { code: 0, text: /in force, and watched/ });
  t.match((await run('promote', '--json')).json, { passed: true, checks: [{ id: 'tests' }, {}] });
});

t.test('promotes nothing that fails one, and exits with 1', async (t) => {
  const { run, asked } = await open(t, { GET: { status: 200, body: told(false) } });
  t.match(await run('promote'), { code: 1, text: /FAIL new_blocks {2}0 of 9[\s\S]*Nothing was changed/ });
  t.equal(asked.length, 1);
});

t.test('takes a promotion back', async (t) => {
  const { run, asked } = await open(t, { DELETE: { status: 200, body: { taken_back: {} } } });
  for (const other of [['--dry-run'], ['--share', '10%']])
    t.match(await run('promote', '--take-back', ...other), { code: 2, err: /goes with neither/ });
  t.same(asked, []);
  t.match(await run('promote', '--take-back'), { code: 0, text: /was taken back/ });
  t.same(asked, ['DELETE /v1/policies/shop/promotion ']);
});

t.test('says why a service refuses', async (t) => {
  const problem = { detail: 'Too early.', errors: [{ pointer: '/checks/hours', detail: 'not yet' }] };
  const { run } = await open(t, {
    GET: { status: 200, body: told(true) },
    POST: { status: 409, body: problem },
    PUT: { status: 400, body: problem },
    DELETE: { status: 404, body: { detail: 'No such promotion.' } },
  });
  t.match(await run('promote'), { code: 3, err: /answers 409: Too early\.\n {2}not yet/ });
  t.match(await run('candidate'), { code: 3, err: /answers 400/ });
  t.match(await run('promote', '--take-back'), { code: 2, err: /No such promotion/ });
  t.match(await run('candidate', '--remove'), { code: 2, err: /answers 404/ });
  for (const share of ['0%', '10', '101%'])
    t.match(await run('promote', '--share', share), { code: 2, err: /percentage/ });
  const odd = await open(t, {
    GET: { status: 200, body: { passed: true } },
    DELETE: { status: 500, body: 1 },
  });
  t.match(await odd.run('promote'), { code: 3, err: /no promotion/ });
  t.match(await odd.run('promote', '--take-back'), { code: 3, err: /answers 500/ });
});
