import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readWebhooks } from '../../src/app/webhooks.ts';
import { createDirectory } from '../support/test-app.ts';

const KEY = randomBytes(32);

function read(t: Test, text: string) {
  const directory = createDirectory(t);
  const path = join(directory, 'webhooks.yaml');
  writeFileSync(join(directory, 'secret'), `whsec_${KEY.toString('base64')}\n`);
  writeFileSync(join(directory, 'short'), `whsec_${randomBytes(23).toString('base64')}`);
  writeFileSync(join(directory, 'bare'), KEY.toString('base64'));
  writeFileSync(join(directory, 'long'), `whsec_${'A'.repeat(1_100)}`);
  writeFileSync(path, text.replaceAll('$DIR', directory));
  return readWebhooks(path);
}

t.test('reads receivers, their keys and the events that they want', async (t) => {
  const result = read(
    t,
    `targets:
  soc: {url: 'https://hooks.example.com/riskgate?a=b', secret_file: $DIR/secret, events: [decision.superseded]}
  all-of-it: {url: 'http://10.0.0.7:9000/', secret_file: $DIR/secret}
`,
  );
  t.equal(result.ok, true);
  if (!result.ok) return;
  const told = result.value.map(({ name, url, types }) => [name, url.href, types]);
  t.strictSame(told, [
    ['soc', 'https://hooks.example.com/riskgate?a=b', ['decision.superseded']],
    ['all-of-it', 'http://10.0.0.7:9000/', null],
  ]);
  for (const { key } of result.value) t.ok(KEY.equals(key));
});

const TARGET = 'url: https://hooks.example.com/, secret_file: $DIR/secret';
const PLAIN_URL = /webhooks\.yaml:\d+:\d+.*must be an http:\/\/ or https:\/\/ URL without user and fragment/;

/** What a file says, and the message; each names the file, or the other file that it is about. */
const MISTAKES: Readonly<Record<string, RegExp>> = {
  '': /webhooks\.yaml:/,
  nonsense: /webhooks\.yaml:1:1/,
  'targets: [': /webhooks\.yaml:1:\d+/,
  'targets: {}': /webhooks\.yaml:1:\d+.*names no target/,
  'targets: []': /webhooks\.yaml:1:\d+/,
  [`targets: {a: {${TARGET}}}\nextra: 1`]: /webhooks\.yaml:1:1: .*extra/,
  [`targets:\n  a: {${TARGET}}\n  a: {${TARGET}}`]: /webhooks\.yaml:3:\d+/,
  [`targets: {A: {${TARGET}}}`]: /webhooks\.yaml:1:\d+/,
  [`targets: {'': {${TARGET}}}`]: /webhooks\.yaml:1:\d+/,
  [`targets: {${'a'.repeat(65)}: {${TARGET}}}`]: /webhooks\.yaml:1:\d+/,
  [`targets: {a: {${TARGET}, retries: 3}}`]: /webhooks\.yaml:1:\d+.*retries/,
  [`targets: {a: {${TARGET}, events: []}}`]: /webhooks\.yaml:1:\d+/,
  [`targets: {a: {${TARGET}, events: [decision.made]}}`]: /webhooks\.yaml:1:\d+.*decision\.superseded/,
  [`targets: {a: {${TARGET}, events: decision.superseded}}`]: /webhooks\.yaml:1:\d+/,
  'targets: {a: {secret_file: $DIR/secret}}': /webhooks\.yaml:1:\d+.*url/,
  'targets: {a: {url: https://hooks.example.com/}}': /webhooks\.yaml:1:\d+.*secret_file/,
  "targets:\n  a:\n    url: ''\n    secret_file: $DIR/secret": /webhooks\.yaml:3:\d+/,
  'targets: {a: {url: hooks.example.com, secret_file: $DIR/secret}}': PLAIN_URL,
  'targets: {a: {url: ftp://hooks.example.com/, secret_file: $DIR/secret}}': PLAIN_URL,
  'targets: {a: {url: https://u:p@hooks.example.com/, secret_file: $DIR/secret}}': PLAIN_URL,
  "targets: {a: {url: 'https://hooks.example.com/#x', secret_file: $DIR/secret}}": PLAIN_URL,
  [`targets: {a: {url: https://hooks.example.com/${'a'.repeat(2_048)}, secret_file: $DIR/secret}}`]: /2048/,
  'targets: {a: {url: https://hooks.example.com/, secret_file: $DIR/none}}':
    /none: cannot be read \(ENOENT\)/,
  'targets: {a: {url: https://hooks.example.com/, secret_file: $DIR}}': /is not a regular file/,
  'targets: {a: {url: https://hooks.example.com/, secret_file: $DIR/short}}': /short: must hold whsec_/,
  'targets: {a: {url: https://hooks.example.com/, secret_file: $DIR/bare}}': /bare: must hold whsec_/,
  'targets: {a: {url: https://hooks.example.com/, secret_file: $DIR/long}}': /at most 1024 are read/,
};

t.test('says every mistake, with its place', async (t) => {
  for (const [text, mistake] of Object.entries(MISTAKES)) {
    const result = read(t, text);
    t.equal(result.ok, false, text);
    if (result.ok) continue;
    t.match(result.mistakes.join('\n'), mistake, text);
    // Neither a secret nor a password in a URL is repeated.
    t.notMatch(result.mistakes.join('\n'), /u:p|[A-Za-z0-9+/]{40}={0,2}$/m);
  }
});

t.test('says all mistakes of secrets at once, and refuses more receivers than there can be', async (t) => {
  const two = read(
    t,
    'targets: {a: {url: https://x.example, secret_file: $DIR/none}, b: {url: https://x.example, secret_file: $DIR/bare}}',
  );
  t.equal(two.ok ? 0 : two.mistakes.length, 2);
  const names = Array.from({ length: 33 }, (_, place) => `t${place}`);
  const many = (some: readonly string[]) =>
    read(t, `targets: {${some.map((name) => `${name}: {${TARGET}}`).join(', ')}}`);
  const refused = many(names);
  t.match(refused.ok ? '' : refused.mistakes.join(), /names more than 32 targets/);
  t.equal(many(names.slice(1)).ok, true);
  t.match(readWebhooks('/nowhere/webhooks.yaml'), { ok: false, mistakes: [/cannot be read/] });
});
