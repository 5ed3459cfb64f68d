import { randomBytes } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { findExposures, findOpenMode, isGuessable, isLoopback } from '../../src/platform/exposure.ts';
import { createDirectory } from '../support/test-app.ts';

t.test('knows the addresses that only this machine reaches', async (t) => {
  const loopback = [
    '127.0.0.1',
    '127.1.2.3',
    'localhost',
    'LOCALHOST',
    '::1',
    '0:0:0:0:0:0:0:1',
    '::ffff:127.0.0.1',
  ];
  for (const host of loopback) t.ok(isLoopback(host), host);
  const reachable = [
    '0.0.0.0',
    '::',
    '192.0.2.1',
    '::ffff:192.0.2.1',
    '::2',
    '128.0.0.1',
    'riskgate',
    '127.example',
    '',
  ];
  for (const host of reachable) t.notOk(isLoopback(host), host);
});

t.test('refuses secrets that somebody typed or that stand in a text', async (t) => {
  const guessable = [
    'k'.repeat(32),
    'ab'.repeat(16),
    'abcdefghijklmnop'.repeat(2),
    '1234567890'.repeat(4),
    'demo-only-and-known-to-everybody-0123456789',
    'change-me-change-me-change-me-change-me',
    'CHANGEME-8f2a1c99d3e74b6fa1c2d3e4f5a6b7c8',
    'this is my very long secret password',
    'an id hash key of 32 bytes or more',
    'a-key-for-tests-of-32-bytes-or-more',
    'replace with your-secret please, thank you',
  ];
  for (const secret of guessable) t.ok(isGuessable(secret), secret);
});

t.test('takes secrets that were drawn', async (t) => {
  for (let count = 0; count < 500; count += 1) {
    const bytes = randomBytes(32);
    for (const encoding of ['base64', 'hex', 'base64url'] as const)
      t.notOk(isGuessable(bytes.toString(encoding)), bytes.toString(encoding));
  }
});

t.test('looks at the mode of the key file', async (t) => {
  const secretFile = join(createDirectory(t), 'keys.yaml');
  writeFileSync(secretFile, '');
  const findAt = (mode: number) => {
    chmodSync(secretFile, mode);
    return findOpenMode(secretFile);
  };
  for (const mode of [0o400, 0o600, 0o440, 0o640]) t.equal(findAt(mode), null, mode.toString(8));
  for (const mode of [0o644, 0o444, 0o604, 0o660, 0o620, 0o602, 0o601])
    t.equal(findAt(mode), `0${mode.toString(8)}`);
  t.equal(findOpenMode('/nowhere'), null, 'what is missing is reported elsewhere');
});

t.test('minds the secret where others can reach the service', async (t) => {
  t.match(findExposures({ host: '0.0.0.0', secrets: ['x7Gq', 'k'.repeat(32)] }), [
    /ID_HASH_KEY is a placeholder/,
  ]);
  t.same(findExposures({ host: '127.0.0.1', secrets: ['x7Gq', 'k'.repeat(32)] }), []);
  t.same(findExposures({ host: '0.0.0.0', secrets: [] }), [], 'what is missing is reported elsewhere');
});
