import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { loadPolicy } from '../../src/application/load-policy.ts';
import { loadKeyring } from '../../src/http/callers/api-keys.ts';
import { compileLinearPattern } from '../../src/platform/linear-pattern.ts';
import { parseYaml } from '../../src/platform/yaml-document.ts';
import { readAnswer } from '../../src/providers/read-answer.ts';
import { CONTEXT, respond, summarise } from '../providers/answer-support.ts';
import { sampleOf, TESTED_PROVIDERS } from '../providers/samples.ts';
import { createTestApp } from '../support/test-app.ts';
import { VENDORS } from '../support/vendors.ts';

const app = await createTestApp(t);

/** Own properties of the prototypes of everything, which no input may add to or change. */
function prototypes(): string {
  return [Object.prototype, Array.prototype, Function.prototype, String.prototype, Map.prototype]
    .map((prototype) => Reflect.ownKeys(prototype).map(String).join())
    .join(' ');
}

const untouched = prototypes();

const GOOD = '"telemetry_id": "allow", "device_id": "active"';
/** Bodies that are refused whatever else they hold. */
const BODIES = [
  `{${GOOD}, "__proto__": {"scopes": ["admin"]}}`,
  `{${GOOD}, "__proto__": null}`,
  `{${GOOD}, "\\u005f\\u005fproto\\u005f\\u005f": {"x": 1}}`,
  `{${GOOD}, "constructor": {"prototype": {"x": 1}}}`,
  `{${GOOD}, "constructor": 1}`,
  `{${GOOD}, "prototype": {}}`,
  `{${GOOD}, "toString": null}`,
  `{${GOOD}, "account_id": {"__proto__": {"x": 1}}}`,
  '{"telemetry_id": "allow", "device_ids": {"__proto__": "active"}}',
  '{"telemetry_id": "allow", "device_ids": {"__proto__": {"mobilerun": "active", "prefactor": "active"}}}',
  '{"telemetry_id": "allow", "device_ids": {"constructor": "active"}}',
  '{"telemetry_id": "allow", "device_ids": {"constructor": {"prototype": {"x": "active"}}}}',
  '{"__proto__": {"telemetry_id": "allow", "device_id": "active"}}',
  '[{"__proto__": {"x": 1}}]',
];

for (const body of BODIES) {
  t.test(`refuses the body ${body}`, async (t) => {
    const { status, json } = await app.refused(body);
    t.equal(status, 400);
    t.match(json.code, /^(malformed_body|invalid_request)$/);
  });
}

t.test('takes no name of a prototype for a field of a query', async (t) => {
  for (const name of [
    '__proto__',
    '__proto__[x]',
    'constructor',
    'constructor[prototype][x]',
    'constructor.prototype.x',
    'toString',
  ]) {
    const query = `${encodeURIComponent(name)}=full`;
    t.equal((await app.refused(`{${GOOD}}`, { url: `/v1/decide?${query}` })).status, 400, name);
    t.equal((await app.ask('DELETE', `/v1/evidence?telemetry_id=x&${query}`)).status, 400, name);
    t.equal((await app.ask('DELETE', `/v1/evidence?${query}`)).status, 400, name);
  }
});

t.test('takes ids and accounts with such names for ids and accounts', async (t) => {
  for (const id of ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf']) {
    const { status, json } = await app.decide({
      telemetry_id: id,
      device_id: id,
      account_id: id,
      action: id,
    });
    t.equal(status, 200);
    t.match(json, { decision: 'BLOCK', degraded: false }, id);
    const headers = { 'idempotency-key': id, 'x-request-id': id };
    t.match((await app.decide({ telemetry_id: id }, { headers })).json, { decision: 'BLOCK' });
    t.equal((await app.decide({ telemetry_id: id }, { headers })).headers['idempotency-replayed'], 'true');
    t.equal((await app.refused('{}', { key: id })).status, 401);
  }
});

function mistakesOfPolicy(text: string): readonly string[] {
  const result = loadPolicy(text, {
    providers: VENDORS,
    parse: parseYaml,
    compilePattern: compileLinearPattern,
    sha256: () => 'of-no-concern',
  });
  return result.ok ? [] : result.mistakes;
}

const POLICY = readFileSync(new URL('../../policies/default.yaml', import.meta.url), 'utf8');
const RULE = '{id: a, when: "false", verdict: BLOCK, reason: A}';

t.test('refuses policy files with such names', async (t) => {
  t.same(mistakesOfPolicy(POLICY), [], 'the file as it is');
  for (const text of [
    `__proto__: {otherwise: ALLOW}\n${POLICY}`,
    `constructor: {prototype: {otherwise: ALLOW}}\n${POLICY}`,
    `"__proto__":\n  rules: []\n${POLICY}`,
    `<<: {otherwise: ALLOW}\n${POLICY}`,
    `{policy: a, otherwise: ALLOW, rules: [${RULE}], __proto__: {}}`,
    `{policy: a, rules: [${RULE}], __proto__: {otherwise: ALLOW}}`,
    '{policy: a, otherwise: BLOCK, rules: [{id: a, when: "false", verdict: BLOCK, reason: A, __proto__: {on_unknown: IGNORE}}]}',
    '{policy: a, otherwise: BLOCK, rules: [{id: a, when: "false", verdict: BLOCK, __proto__: {reason: A}}]}',
    '{policy: a, otherwise: constructor, rules: [{id: a, when: "false", verdict: BLOCK, reason: A}]}',
    '{policy: a, otherwise: ALLOW, rules: {__proto__: []}}',
  ])
    t.ok(mistakesOfPolicy(text).length > 0, text.slice(0, 60));
});

t.test('refuses conditions that read such names', async (t) => {
  for (const when of [
    'stytch.__proto__.found',
    'stytch.constructor == stytch.constructor',
    'stytch["__proto__"].found',
    "providers.__proto__.outcome == 'ok'",
    "providers['constructor'].outcome == 'ok'",
    "request.toString == ''",
    'has(request.hasOwnProperty)',
    '__proto__.found',
    'constructor == 1',
    'globalThis.process != null',
  ]) {
    const rules = [{ id: 'a', when, verdict: 'ALLOW', exempt: true, reason: 'A' }];
    t.ok(mistakesOfPolicy(JSON.stringify({ policy: 'a', otherwise: 'BLOCK', rules })).length > 0, when);
  }
});

t.test('refuses key files with such names, and gives no scope through one', async (t) => {
  const key = `id: a, sha256: ${hash('sha256', 'a-key')}`;
  for (const text of [
    `keys: [{${key}, scopes: [decide], __proto__: {scopes: [admin]}}]`,
    `keys: [{${key}, __proto__: {scopes: [admin]}}]`,
    `keys: [{${key}, scopes: [decide], constructor: {prototype: {scopes: [admin]}}}]`,
    `keys: [{${key}, scopes: [__proto__]}]`,
    `keys: [{${key}, scopes: [decide], limits: {concurrent: 1, __proto__: {requests: 1}}}]`,
    `{keys: [{${key}, scopes: [decide]}], __proto__: {x: 1}}`,
    `{__proto__: {keys: [{${key}, scopes: [admin]}]}}`,
  ])
    t.notOk(loadKeyring(text).ok, text);
  const named = loadKeyring(`keys: [{id: __proto__, sha256: ${hash('sha256', 'a-key')}, scopes: [decide]}]`);
  t.ok(named.ok, 'an id is only an id');
  if (!named.ok) return;
  t.same([...(named.value.find('a-key')?.scopes ?? [])], ['decide']);
  t.equal(named.value.find('__proto__'), null);
});

for (const provider of TESTED_PROVIDERS) {
  const sample = sampleOf(provider);

  t.test(`takes nothing of a payload of ${provider.id} from a prototype`, async (t) => {
    const text = JSON.stringify(sample.full);
    for (const body of [
      `{"__proto__":${text}}`,
      `{"constructor":{"prototype":${text}}}`,
      `{"status":"success","__proto__":${text}}`,
    ]) {
      const answer = readAnswer(provider, respond(200, body), { id: 'device-1' }, CONTEXT);
      t.match(summarise(answer), /^malformed /, body.slice(0, 40));
    }
    const spiked = text.replace(
      '{',
      '{"__proto__":{"found":false},"constructor":{"prototype":{"found":false}},',
    );
    const [plain, odd] = [text, spiked].map((body) =>
      readAnswer(provider, respond(200, body), { id: sample.id }, CONTEXT),
    );
    t.same(odd, plain, 'and such members change nothing');
    t.equal(odd?.outcome, 'ok');
  });
}

t.test('has left every prototype as it was', async (t) => {
  t.equal(prototypes(), untouched);
});
