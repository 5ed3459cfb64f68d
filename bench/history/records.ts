import type { DecisionRecord } from '../../src/domain/decision-log/decision-record.ts';
import { toRfc3339 } from '../../src/platform/rfc3339.ts';
import { createSeededRandom } from '../../src/platform/seeded-random.ts';

/** How a month of records is made. */
export interface HistoryPlan {
  readonly records: number;
  readonly days: number;
  /** Unix milliseconds: when the last of them was made. */
  readonly untilMs: number;
  /** Who decisions are about, as many as would be in a history of other lengths; of this one otherwise. */
  readonly accounts?: number;
  /** Another one makes other records. */
  readonly seed?: number;
  /** The hash of the policy of each period; invented ones otherwise. */
  readonly policies?: readonly string[];
}

type Rule = DecisionRecord['rules'][number];
type Reason = DecisionRecord['reasons'][number];

/** Records for each account: a login every few days. */
const RECORDS_PER_ACCOUNT = 12;
const DAY_MS = 86_400_000;
const HASH_CHARS = 32;
const HEX_BYTES = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** By how many of them come from there, the most frequent first; then rarely from one of many others. */
const COUNTRIES = ['AU', 'NZ', 'GB', 'US', 'DE', 'FR', 'IN', 'SG', 'JP', 'CA', 'ID', 'PH', 'VN', 'BR', 'NG'];
const NETWORKS = 3_000;
const ACTIONS = ['login', 'payment', 'password_change', 'payout', 'new_device'];
const CALLERS = ['web-shop', 'mobile-app', 'gateway:nginx', 'back-office'];
const PHONES = ['Pixel 8', 'Pixel 7a', 'SM-S911B', 'SM-A546B', 'CPH2557', 'M2101K6G', 'XQ-DC54', 'moto g54'];
/** Every so many days the policy changes. */
const POLICY_DAYS = 10;

const RULES = [
  ['telemetry-missing', 'TELEMETRY_MISSING', 'BLOCK', 'stytch', 0.004],
  ['telemetry-not-found', 'TELEMETRY_NOT_FOUND', 'BLOCK', 'stytch', 0.006],
  ['telemetry-replayed', 'TELEMETRY_REPLAYED', 'BLOCK', 'stytch', 0.003],
  ['device-omitted', 'DEVICE_OMITTED', 'CHALLENGE', 'mobilerun', 0.002],
  ['telemetry-stale', 'TELEMETRY_STALE', 'CHALLENGE', 'stytch', 0.01],
  ['telemetry-expired', 'TELEMETRY_EXPIRED', 'CHALLENGE', 'stytch', 0.005],
  ['device-missing', 'DEVICE_MISSING', 'CHALLENGE', 'mobilerun', 0.01],
  ['mobilerun-device-not-found', 'DEVICE_NOT_FOUND', 'BLOCK', 'mobilerun', 0.006],
  ['prefactor-device-not-found', 'DEVICE_NOT_FOUND', 'BLOCK', 'prefactor', 0.006],
  ['device-revoked', 'DEVICE_REVOKED', 'BLOCK', 'prefactor', 0.003],
  ['device-status-unknown', 'DEVICE_STATUS_UNKNOWN', 'CHALLENGE', 'prefactor', 0.002],
  ['device-unsupported', 'DEVICE_UNSUPPORTED', 'CHALLENGE', 'mobilerun', 0.01],
  ['stytch-block', 'STYTCH_BLOCK', 'BLOCK', 'stytch', 0.02],
  ['stytch-challenge', 'STYTCH_CHALLENGE', 'CHALLENGE', 'stytch', 0.05],
  ['stytch-action-unknown', 'STYTCH_ACTION_UNKNOWN', 'CHALLENGE', 'stytch', 0.001],
  ['device-inauthentic', 'DEVICE_INAUTHENTIC', 'BLOCK', 'stytch', 0.004],
] as const;

/**
 * Makes records like those of a real service, oldest first: more by day than by night, most subjects known,
 * every signal of three providers, about 8 KB each.
 */
export function* createHistory(plan: HistoryPlan): Generator<DecisionRecord> {
  const { records, days, untilMs, seed = 1, policies = [] } = plan;
  const random = createSeededRandom(seed);
  const accounts = plan.accounts ?? Math.max(100, Math.round(records / RECORDS_PER_ACCOUNT));
  const sinceMs = untilMs - days * DAY_MS;
  for (let serial = 0; serial < records; serial += 1) {
    const share = (serial + random()) / records;
    const dayShare = (share * days) % 1;
    // As many as by night within a quarter of the day's length.
    const warped = dayShare + 0.12 * Math.sin(2 * Math.PI * dayShare);
    const atMs = sinceMs + (Math.floor(share * days) + Math.min(0.999_99, Math.max(0, warped))) * DAY_MS;
    const record = createRecord(random, Math.floor(atMs), serial, accounts);
    const hash = policies[Math.floor(atMs / DAY_MS / POLICY_DAYS) % policies.length];
    yield hash === undefined ? record : { ...record, policy: { id: 'default', hash } };
  }
}

/** The hash that stands for a subject of the invented population. */
export function hashOfSubject(kind: string, number: number): string {
  let text = '';
  let state = (number * 2_654_435_761 + kind.charCodeAt(0) * 97_001) >>> 0;
  while (text.length < HASH_CHARS) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    for (let shift = 24; shift >= 0; shift -= 8) text += HEX_BYTES[(state >>> shift) & 0xff];
  }
  return text;
}

function createRecord(random: () => number, atMs: number, serial: number, accounts: number): DecisionRecord {
  const account = Math.floor(random() ** 1.7 * accounts);
  // Most accounts have one device, and one in fifty devices serves several accounts.
  const device = account % 50 === 0 ? Math.floor(account / 300) : account * 2 + (random() < 0.1 ? 1 : 0);
  const address = random() < 0.7 ? account : Math.floor(random() ** 3 * accounts);
  const place = placeOf(random, address);
  const judged = judge(random, Math.floor(atMs / DAY_MS / POLICY_DAYS));
  const request = hashOfSubject('r', serial);
  return {
    version: 1,
    kind: 'decision',
    decision_id: toUuid(atMs, hashOfSubject('u', serial)),
    decided_at: toRfc3339(atMs),
    ...judged.decision,
    caller: pick(random, CALLERS, 2),
    entry_point: random() < 0.8 ? 'decide' : 'nginx',
    action: pick(random, ACTIONS, 2.5),
    request_id: toUuid(atMs, request),
    subject: {
      hash_key: '062cd134',
      telemetry: hashOfSubject('t', random() < 0.05 ? Math.floor(random() * serial) : serial),
      devices: [hashOfSubject('d', device)],
      account: hashOfSubject('a', account),
      ip: hashOfSubject('i', address),
      network: hashOfSubject('i', address),
      visitor: hashOfSubject('v', device),
    },
    request: {
      telemetry_id_present: true,
      device_id_present: true,
      device_id_given: true,
      account_id: 'given',
      ip: 'given',
      user_agent: 'given',
    },
    providers: {
      stytch: use(random, judged.lost === 'stytch', 110, toStytch(random, atMs, device, place)),
      mobilerun: use(random, judged.lost === 'mobilerun', 80, toMobilerun(device, place.country)),
      prefactor: use(random, judged.lost === 'prefactor', 60, toPrefactor(random, atMs, device, place)),
    },
    custody: {
      result: 'first_use',
      signals: {
        uses: 1,
        age_seconds: 0,
        bound_elsewhere: false,
        omits_device: false,
        omits_account: false,
        expired: false,
      },
    },
    ...toFacts(random, device, place),
    policy: { id: 'default', hash: `sha256:${hashOfSubject('p', judged.policy).repeat(2)}` },
    engine: '0.1.0',
    latency_ms: Math.round((random() < 0.6 ? random() : 40 + random() ** 3 * 400) * 100) / 100,
    rules: judged.rules,
  };
}

const NOT_LISTED = Object.fromEntries(
  ['device', 'account', 'telemetry', 'ip', 'visitor', 'asn', 'country'].map((part) => [part, false]),
);
const LISTS = { blocked: NOT_LISTED, watched: NOT_LISTED };

/** What the default policy reads of the subject, as it reads it. */
function toFacts(random: () => number, device: number, place: Place) {
  const few = (share: number) => 1 + (random() < share ? Math.floor(random() ** 3 * 4) : 0);
  const isKnown = random() < 0.95;
  return {
    activity: {
      account: {
        remembered_seconds: Math.floor(random() * 30 * 86_400),
        known_device: isKnown,
        devices_1h: few(0.05),
        devices_30d: few(0.3),
      },
      device: { accounts_1h: few(0.02) },
      ip: { not_found_10m: random() < 0.03 ? few(1) : 0, telemetry_ids_10m: few(0.1) },
      hardware: { devices_remembered: few(0.02) },
    },
    step_up:
      random() < 0.02 ? { age_seconds: Math.floor(random() * 86_400), method: 'otp', acr: '' } : 'none',
    lists: LISTS,
    shared: null,
    contradictions: toContradictions(random, device, place),
  } as const;
}

/** Most are compared and agree; the working of each stands beside them. */
function toContradictions(random: () => number, device: number, { country }: Place) {
  const isAbroad = random() < 0.01;
  const hours = Math.round(random() ** 2 * 20_000) / 100;
  const km = Math.round(random() ** 4 * 900);
  const countries = [country];
  return {
    identity_reuse: false,
    identity_shape: false,
    travel: false,
    tls_client: false,
    os_family: false,
    sim_country: isAbroad,
    time_zone_country: false,
    seen_elsewhere: false,
    clock: false,
    roaming: false,
    count: isAbroad ? 1 : 0,
    families: isAbroad ? 1 : 0,
    strongest: isAbroad ? 'sim_country' : '',
    because: {
      identity_reuse: { devices: 1, limit_devices: 1, window_days: 30 },
      identity_shape: { imei_luhn_valid: true },
      travel: {
        from: 'account_accepted',
        from_latitude: -37.8,
        from_longitude: 145,
        to_latitude: Math.round((-37.82 + (device % 100) / 10) * 10) / 10,
        to_longitude: 145,
        km,
        error_km: 208,
        hours,
        slack_hours: 0.25,
        km_per_hour: Math.round(km / (hours + 0.25)),
        limit_km_per_hour: 1000,
      },
      tls_client: { user_agent: 'Chrome', version: 140, transport: 'quic', tls_version: '1.3', alpn: 'h3' },
      os_family: {
        prefactor_user_agent: 'Android',
        stytch_device_type: device % 3 === 0 ? 'IOS' : 'ANDROID',
      },
      sim_country: {
        sim_operator: 50_501,
        sim_operator_countries: ['AU', 'CC', 'CX', 'NF'],
        sim_country: country,
        sim_country_countries: countries,
      },
      time_zone_country: {
        prefactor_time_zone: 'Australia/Melbourne',
        prefactor_time_zone_countries: ['AU'],
        prefactor_country: country,
        prefactor_country_countries: countries,
      },
      seen_elsewhere: { stytch_network: '192.0.2.0/24', request_in_network: true },
      clock: {
        later: 'fingerprint_created',
        earlier: 'now',
        seconds: -Math.floor(random() * 60),
        tolerance_seconds: 300,
      },
    },
  };
}

interface Place {
  readonly country: string;
  readonly asn: number;
}

function placeOf(random: () => number, address: number): Place {
  const abroad = random() < 0.02;
  const country = abroad ? pick(random, COUNTRIES, 1) : pick(() => (address % 997) / 997, COUNTRIES, 3);
  return { country, asn: 1_000 + Math.floor((((address * 7_919) % 1_000_003) / 1_000_003) ** 4 * NETWORKS) };
}

interface Judged {
  readonly decision: Pick<DecisionRecord, 'decision' | 'degraded' | 'reasons' | 'waivers'>;
  readonly rules: readonly Rule[];
  /** The provider that gave no answer. */
  readonly lost: string | null;
  readonly policy: number;
}

function judge(random: () => number, policy: number): Judged {
  const lost = random() < 0.01 ? pick(random, ['stytch', 'mobilerun', 'prefactor'], 1) : null;
  const rules: Rule[] = [];
  const reasons: Reason[] = [];
  for (const [rule, code, verdict, provider, share] of RULES) {
    if (provider === lost) {
      rules.push({ rule, result: 'unknown', why: `${provider} timeout`, on_unknown: 'CHALLENGE' });
      reasons.push({ code, rule, verdict: 'CHALLENGE', providers: [provider], certain: false });
    } else if (random() < share) {
      rules.push({ rule, result: 'true' });
      reasons.push({ code, rule, verdict, providers: [provider], certain: true });
    } else rules.push({ rule, result: 'false' });
  }
  const has = (verdict: string) => reasons.some((reason) => reason.verdict === verdict);
  const decision = has('BLOCK') ? 'BLOCK' : has('CHALLENGE') ? 'CHALLENGE' : 'ALLOW';
  return { decision: { decision, degraded: lost !== null, reasons, waivers: [] }, rules, lost, policy };
}

type Use = DecisionRecord['providers'][string];

function use(random: () => number, isLost: boolean, ms: number, signals: object): Use {
  const isHit = !isLost && random() < 0.6;
  return {
    outcome: isLost ? 'timeout' : 'ok',
    cache: isHit ? 'hit' : 'miss',
    cache_level: isHit ? 'memory' : null,
    latency_ms: isLost ? 1_000 : isHit ? 0 : Math.round((ms + random() ** 3 * 300) * 100) / 100,
    age_ms: isHit ? Math.floor(random() * 60_000) : 0,
    request_id: isHit || isLost ? null : `request-id-${toUuid(0, hashOfSubject('q', random() * 2 ** 31))}`,
    suspect: false,
    signals: isLost ? null : ({ found: true, ...signals } as NonNullable<Use['signals']>),
  };
}

function toStytch(random: () => number, atMs: number, device: number, place: Place): object {
  const madeMs = atMs - Math.floor(random() * 60_000);
  return {
    action: 'ALLOW',
    reasons: [],
    is_authentic: true,
    device_type: device % 3 === 0 ? 'IOS' : 'ANDROID',
    overridden_reasons: [],
    is_proxy: random() < 0.01,
    is_vpn: random() < 0.04,
    ...place,
    asn_name: `EXAMPLE-NET-${place.asn}`,
    region: `region-${place.asn % 7}`,
    fingerprints: {
      visitor_id_hash: hashOfSubject('w', device),
      browser_id_hash: hashOfSubject('b', device),
      visitor_hash: hashOfSubject('v', device),
      browser_hash: hashOfSubject('c', device % 4_000),
      hardware_hash: hashOfSubject('h', device % 500),
      network_hash: hashOfSubject('n', device % 900),
    },
    created_at: toRfc3339(madeMs).replace(/\.\d+/, '.000'),
    created_at_unix_seconds: Math.floor(madeMs / 1000),
    expires_at: toRfc3339(madeMs + 3_600_000).replace(/\.\d+/, '.000'),
    expires_at_unix_seconds: Math.floor(madeMs / 1000) + 3_600,
    age_seconds: Math.floor((atMs - madeMs) / 1000),
    expires_in_seconds: 3_600 - Math.floor((atMs - madeMs) / 1000),
  };
}

const PHONE_HASHES =
  'serial android_id imei meid imsi iccid phone gaid gsf_id app_set_id media_drm_id wifi_mac bluetooth_mac'.split(
    ' ',
  );

function toMobilerun(device: number, country: string): object {
  const identifiers = PHONE_HASHES.map((name, place) => [
    `${name}_hash`,
    hashOfSubject('m', device * 20 + place),
  ]);
  return {
    supported: true,
    model: {
      brand: 'example',
      manufacturer: 'Example',
      model: PHONES[device % PHONES.length],
      device: 'shiba',
      hardware: 'shiba',
      aosp_version: String(12 + (device % 4)),
      image_repository: 'example/aosp-shiba',
    },
    display: { width: 1080, height: 2400, density_dpi: 420 },
    identifiers: Object.fromEntries(identifiers),
    empty_identifiers: 0,
    imei_present: true,
    imei_luhn_valid: true,
    imsi_matches_sim_operator: true,
    wifi_mac_locally_administered: true,
    bluetooth_mac_locally_administered: true,
    carrier_country: country,
    carrier_operator: `Example Mobile ${country}`,
    carrier_operator_numeric: 50_501,
    sim_operator: `Example Mobile ${country}`,
    sim_operator_numeric: 50_501,
    time_zone: 'Australia/Melbourne',
  };
}

function toPrefactor(random: () => number, atMs: number, device: number, place: Place): object {
  const firstMs = atMs - (1 + (device % 300)) * DAY_MS;
  const seen = (timeMs: number) => ({
    at: toRfc3339(timeMs),
    at_unix_seconds: Math.floor(timeMs / 1000),
    ...place,
    region: `region-${place.asn % 7}`,
    latitude: -37.82 + (device % 100) / 10,
    longitude: 144.97,
    ja4: 'q13d0314h3_55b375c5d22e_61e396c58b1f',
    user_agent_family: 'Chrome',
    user_agent_os: 'Android',
    time_zone: 'Australia/Melbourne',
    age_seconds: Math.floor((atMs - timeMs) / 1000),
  });
  return {
    status: 'active',
    session_type: 'browser',
    type: 'device',
    auth_profile: 'openid',
    pkce_required: true,
    account_hash: hashOfSubject('e', device),
    domain_hash: hashOfSubject('f', 1),
    pool_hash: hashOfSubject('g', 1),
    first_seen: seen(firstMs),
    last_seen: seen(atMs - 60_000),
    asn_changed: false,
    country_changed: random() < 0.01,
    ip_changed: random() < 0.2,
    ja4_changed: false,
    time_zone_changed: false,
    user_agent_family_changed: false,
    user_agent_os_changed: false,
    distance_km: 0,
  };
}

/** The greater the power, the more often it is one of the first. */
function pick<Value>(random: () => number, values: readonly Value[], power: number): Value {
  return values[Math.floor(random() ** power * values.length)] as Value;
}

function toUuid(timeMs: number, hash: string): string {
  const time = timeMs.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hash.slice(0, 3)}-8${hash.slice(3, 6)}-${hash.slice(6, 18)}`;
}
