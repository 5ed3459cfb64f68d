import { hash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { checkFiles } from '../../src/app/followed-files.ts';
import { BUILT_IN_PROFILES, loadProfiles } from '../../src/gateways/load-profiles.ts';
import { DEFAULT_PROFILE } from '../../src/gateways/profile.ts';
import { askGateway, createGatewayApp, riskOf } from '../support/ask-gateway.ts';
import { createDirectory, until } from '../support/test-app.ts';
import { VENDORS } from '../support/vendors.ts';

const SHA = 'a'.repeat(64);
const load = (profiles: unknown) => loadProfiles(JSON.stringify({ profiles }));
const only = (profile: object) => {
  const loaded = load({ one: profile });
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'));
  return loaded.value.byName.get('one');
};

t.test('an empty profile is the built-in one under another name', async (t) => {
  t.match(only({}), { ...DEFAULT_PROFILE, name: 'one' });
  t.same([...BUILT_IN_PROFILES.byName.keys()], ['default']);
});

t.test('a file keeps the built-in default unless it has its own', async (t) => {
  const kept = load({ one: {} });
  t.same(kept.ok && [...kept.value.byName.keys()], ['default', 'one']);
  const own = load({ default: { challenge: 'forbid' } });
  t.equal(own.ok && own.value.byName.get('default')?.challenge, 'forbid');
});

t.test('reads everything that a profile can say', async (t) => {
  const profile = only({
    caller: { header: 'X-Gateway-Secret', sha256: [SHA, 'b'.repeat(64)] },
    telemetry_id: [{ cookie: 'tid' }, { header: 'X-TID' }, { query: 'tid' }],
    device_id: [{ query: 'did' }],
    account_id: [{ header: 'X-Account' }],
    ip_header: 'X-Real-IP',
    action: 'login',
    deadline_ms: 150,
    challenge: 'redirect',
    challenge_url: 'https://login.example/step-up?from=gateway',
    acr_values: 'urn:example:mfa phr',
    on_unavailable: 'challenge',
    cache_ttl_seconds: 10,
    exempt_methods: ['HEAD'],
    exempt_paths: ['/health', '/assets/*'],
  });
  t.match(profile, {
    caller: { kind: 'secret', header: 'x-gateway-secret' },
    telemetryId: [
      { kind: 'cookie', name: 'tid' },
      { kind: 'header', name: 'x-tid' },
      { kind: 'query', name: 'tid' },
    ],
    deviceId: [{ kind: 'query', name: 'did' }],
    accountId: [{ kind: 'header', name: 'x-account' }],
    ipHeader: 'x-real-ip',
    action: 'login',
    deadlineMs: 150,
    challenge: 'redirect',
    challengeUrl: 'https://login.example/step-up?from=gateway',
    acrValues: 'urn:example:mfa phr',
    onUnavailable: 'challenge',
    cacheTtlSeconds: 10,
    exemptPaths: [
      { path: '/health', isPrefix: false },
      { path: '/assets/', isPrefix: true },
    ],
  });
});

/** A profile with one mistake, and where it is. */
const MISTAKES: readonly (readonly [object, RegExp])[] = [
  [{ surprise: 1 }, /profiles\.one: .*surprise/],
  [{ cache_ttl_seconds: 11 }, /cache_ttl_seconds/],
  [{ challenge: 'ignore' }, /challenge/],
  [{ challenge: 'redirect' }, /redirect needs challenge_url/],
  [{ challenge_url: 'https://a.example' }, /challenge: redirect only/],
  [{ challenge: 'redirect', challenge_url: '/login' }, /http:\/\/ or https/],
  [{ challenge: 'redirect', challenge_url: 'https://a.example/\r\nx' }, /http:\/\/ or https/],
  [{ challenge: 'redirect', challenge_url: 'javascript:alert(1)' }, /http:\/\/ or https/],
  [{ acr_values: 'a"b' }, /printable ASCII/],
  [{ on_unavailable: 'pass' }, /on_unavailable/],
  [{ telemetry_id: [] }, /telemetry_id/],
  [{ account_id: [] }, /account_id/],
  [{ telemetry_id: [{ header: 'a', cookie: 'b' }] }, /must be one of \{header/],
  [{ telemetry_id: [{ header: 'X_Telemetry_ID' }] }, /telemetry_id/],
  [{ caller: {} }, /must be one of \{header, sha256\}/],
  [{ caller: { sha256: 'not a hash' } }, /caller/],
  [{ caller: { addresses: ['0.0.0.0/0'] } }, /caller/],
  [{ caller: { addresses: ['::/0'] } }, /caller/],
  [{ caller: { addresses: ['10.0.0.0/33'] } }, /caller/],
  [{ caller: { addresses: ['localhost'] } }, /caller/],
  [{ caller: { addresses: ['10.1.2.3/8'] } }, /write 10\.0\.0\.0\/8/],
  [{ caller: { addresses: ['010.0.0.1'] } }, /caller/],
  [{ caller: { addresses: [] } }, /caller/],
  [{ exempt_paths: ['/*'] }, /exempts everything/],
  [{ exempt_paths: ['/a*'] }, /plain path/],
  [{ exempt_paths: ['/a/*/b'] }, /plain path/],
  [{ exempt_paths: ['/a/../b'] }, /plain path/],
  [{ exempt_paths: ['/a%2fb'] }, /plain path/],
  [{ exempt_paths: ['assets/*'] }, /plain path/],
  [{ exempt_methods: ['get'] }, /method in capitals/],
  [{ deadline_ms: 0 }, /deadline_ms/],
  [{ action: 'log in' }, /letters, digits/],
];

for (const [profile, expected] of MISTAKES)
  t.test(`refuses ${JSON.stringify(profile)}`, async (t) => {
    const loaded = load({ one: profile });
    t.equal(loaded.ok, false);
    if (!loaded.ok) t.match(loaded.mistakes.join('\n'), expected);
  });

t.test('refuses what is no file of profiles', async (t) => {
  for (const text of [
    '',
    'profiles: {}',
    'profiles: []',
    'profiles: {one: {}}\nother: 1',
    'a: [',
    'profiles: {A B: {}}',
  ])
    t.equal(loadProfiles(text).ok, false, text);
  t.equal(loadProfiles('profiles:\n  one: {}\n  one: {}\n').ok, false, 'a profile that stands twice');
});

t.test('refuses what YAML or a comment would change', async (t) => {
  for (const [line, position] of [
    ['caller: {header: !vault x, sha256: y}', '3:22'],
    ['action: &name login', '3:13'],
    ['action: *name', '3:13'],
    ['<<: {challenge: pass}', '3:5'],
    ['acr_values: phr # phrh', '3:21'],
    ['acr_values: phr #phrh', '3:21'],
    ['exempt_paths: [/health #, /assets\n      ]', '3:28'],
    ['deadline_ms: 0100', '3:18'],
  ] as const) {
    const loaded = loadProfiles(`profiles:\n  one:\n    ${line}\n`);
    t.equal(loaded.ok, false, line);
    if (!loaded.ok) t.ok(loaded.mistakes[0]?.startsWith(`${position}: `), loaded.mistakes.join());
  }
});

t.test('bounds how many profiles there are, and how many mistakes are reported', async (t) => {
  const profiles = (count: number, profile: object) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, profile]));
  t.equal(load(profiles(1_000, {})).ok, true);
  const many = load(profiles(1_001, {}));
  if (many.ok) throw new Error('it was taken');
  t.match(many.mistakes, [/names more than 1000 profiles/]);
  const wrong = load(profiles(5_000, { challenge: 'no' }));
  if (wrong.ok) throw new Error('it was taken');
  t.equal(wrong.mistakes.length, 101);
  t.match(wrong.mistakes.at(-1), /more mistakes/);
});

t.test('reports all mistakes, each where it stands', async (t) => {
  const loaded = loadProfiles(
    'profiles:\n  one:\n    cache_ttl_seconds: 60\n  two:\n    challenge: never\n    action: a b\n',
  );
  t.equal(loaded.ok, false);
  if (loaded.ok) return;
  t.equal(loaded.mistakes.length, 3);
  t.match(loaded.mistakes.toSorted(), [
    /^3:24: profiles\.one\.cache_ttl_seconds: /,
    /^5:16: profiles\.two\.challenge: /,
    /^6:13: profiles\.two\.action: /,
  ]);
});

t.test('a service does not start with a broken file, or with a secret that everybody knows', async (t) => {
  const directory = createDirectory(t);
  const file = join(directory, 'profiles.yaml');
  const files = {
    policyFile: undefined,
    apiKeysFile: undefined,
    geoipFiles: undefined,
    sharedSignalsFile: undefined,
    webhooksFile: undefined,
    alertsFile: undefined,
    idHashKeys: undefined,
    redisTls: null,
    sinks: [],
  };
  const check = (host: string, isInsecureAllowed = false) =>
    checkFiles(VENDORS, [])({ ...files, host, isInsecureAllowed, gatewayProfilesFile: file });
  t.match(check('127.0.0.1')[0], /cannot be read \(ENOENT\)/);
  writeFileSync(file, 'profiles: {one: {challenge: maybe, cache_ttl_seconds: 99}}');
  t.equal(check('127.0.0.1').length, 2);
  writeFileSync(
    file,
    JSON.stringify({ profiles: { one: { caller: { sha256: hash('sha256', 'changeme') } } } }),
  );
  t.strictSame(check('127.0.0.1'), []);
  t.match(check('0.0.0.0')[0], /everybody knows the secret of "one"/);
  t.strictSame(check('0.0.0.0', true), []);
});

t.test('a changed file is in force, and a broken one leaves the last good one', async (t) => {
  const app = await createGatewayApp(t, { one: {} });
  t.equal((await askGateway(app, { profile: 'one' })).status, 200);
  writeFileSync(app.profilesFile, JSON.stringify({ profiles: { two: { challenge: 'forbid' } } }));
  await until('the file is reloaded', () => app.events().includes('gateway_profiles.reloaded'));
  t.equal(riskOf(await askGateway(app, { profile: 'one' })), 'BLOCK none PROFILE_UNKNOWN');
  t.equal((await askGateway(app, { profile: 'two', telemetryId: 'challenge' })).status, 403);
  writeFileSync(app.profilesFile, 'profiles: {two: {challenge: pass, cache_ttl_seconds: 3600}}');
  await until('the file is refused', () => app.events().includes('gateway_profiles.refused'));
  t.equal((await askGateway(app, { profile: 'two', telemetryId: 'challenge' })).status, 403);
});
