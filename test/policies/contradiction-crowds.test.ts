import t from 'tap';
import type { ContradictionInput, MemorySide, Side } from '../../src/domain/contradictions/contradiction.ts';
import {
  tellContradictions,
  toContradictionPlan,
} from '../../src/domain/contradictions/find-contradictions.ts';
import { evaluatePolicy } from '../../src/domain/policy/evaluate.ts';
import { numberParameters } from '../../src/domain/policy/fact-parameters.ts';
import { onLists } from '../../src/domain/policy-tests/on-lists.ts';
import { seenActivity } from '../../src/domain/policy-tests/seen-activity.ts';
import { loadPolicyFile } from '../support/load-policy-file.ts';
import { createRandom, pick, type Random } from '../support/random.ts';
import { SMALL_WORLD } from '../support/reference-data.ts';

const NOW = 1_800_000_000;
const REQUEST = { telemetry_id_present: true, device_id_present: true, device_id_given: true };
const FIRST_USE = {
  uses: 1,
  age_seconds: 0,
  bound_elsewhere: false,
  omits_device: false,
  omits_account: false,
  expired: false,
};
const POLICY = loadPolicyFile('default.yaml');
const PLAN = toContradictionPlan([['families'], ['travel']], numberParameters(POLICY.document));
const IN_CROWD = 200;

/** A country with a town, its zone, its SIM and some of its networks. */
const PLACES = {
  DE: { latitude: 52.5, longitude: 13.4, zone: 'Europe/Berlin', operator: 26_201, asns: [3320, 3209, 6805] },
  US: {
    latitude: 40.7,
    longitude: -74,
    zone: 'America/New_York',
    operator: 310_260,
    asns: [7922, 21_928, 701],
  },
  NG: {
    latitude: 6.5,
    longitude: 3.4,
    zone: 'Africa/Lagos',
    operator: 62_130,
    asns: [29_465, 36_873, 37_148],
  },
} as const;
type Country = keyof typeof PLACES;

/** Where each side of a login is, and what is remembered of its account. */
interface Login {
  /** The address of the request, and the one that Stytch saw. */
  readonly address: Country;
  readonly fingerprint: Country;
  readonly device: Country;
  readonly clock: Country;
  readonly sim: Country;
  readonly network: Country;
  /** Stytch and Prefactor saw networks of two providers in one country. */
  readonly isHopping: boolean;
  /** Where the account was accepted, with the hours since. */
  readonly accepted: readonly (readonly [Country, number])[];
  readonly devices: number;
}

const HOME: Login = {
  address: 'DE',
  fingerprint: 'DE',
  device: 'DE',
  clock: 'DE',
  sim: 'DE',
  network: 'DE',
  isHopping: false,
  accepted: [['DE', 20]],
  devices: 1,
};
const ABROAD = { address: 'US', fingerprint: 'US', device: 'US', network: 'US' } as const;
const EXIT = { address: 'US', fingerprint: 'US', device: 'US' } as const;

interface Crowd {
  readonly who: string;
  readonly draw: (random: Random) => Login;
  /** The most, or the least, of 200 that are challenged. */
  readonly most?: number;
  readonly least?: number;
}

const CROWDS: readonly Crowd[] = [
  { who: 'honest: at home', draw: () => HOME, most: 0 },
  {
    who: 'honest: at home, between Wi-Fi and mobile network',
    draw: (random) => ({ ...HOME, isHopping: random() < 0.5 }),
    most: 0,
  },
  {
    who: 'honest: travellers, a day after home, some with the clock of home',
    draw: (random) => ({
      ...HOME,
      ...ABROAD,
      clock: pick(random, ['US', 'US', 'DE']),
      accepted: [['DE', 12 + 24 * random()]],
    }),
    most: 0,
  },
  {
    who: 'honest: roamers whose traffic leaves at home',
    draw: () => ({ ...HOME, network: 'US', clock: 'US', accepted: [['DE', 30]] }),
    most: 0,
  },
  {
    who: 'honest: the first login by a VPN abroad, within hours',
    draw: (random) => ({ ...HOME, ...EXIT, accepted: [['DE', 10 * random()]] }),
    most: 120,
  },
  {
    who: 'honest: later logins by that VPN',
    draw: (random) => ({
      ...HOME,
      ...EXIT,
      accepted: [
        ['DE', 10 * random()],
        ['US', 40],
      ],
    }),
    most: 0,
  },
  {
    who: 'honest: a VPN in the browser alone, while another app shows the phone at home',
    draw: () => ({
      ...HOME,
      address: 'US',
      fingerprint: 'US',
      accepted: [
        ['US', 2],
        ['DE', 1],
      ],
    }),
    most: IN_CROWD,
  },
  {
    who: 'attack: a stolen telemetry id with a cloud phone',
    draw: () => ({ ...HOME, address: 'US', device: 'NG', clock: 'NG', sim: 'NG', network: 'NG' }),
    least: IN_CROWD,
  },
  {
    who: 'attack: a proxy in the country of the victim, a cloud phone elsewhere',
    draw: (random) => ({
      ...HOME,
      device: pick(random, ['DE', 'NG']),
      clock: 'NG',
      sim: 'NG',
      network: 'NG',
      isHopping: true,
    }),
    least: IN_CROWD,
  },
  {
    who: 'attack: a copied phone under many device ids',
    draw: (random) => ({ ...HOME, devices: 4 + Math.floor(10 * random()) }),
    least: IN_CROWD,
  },
  {
    who: 'attack: everything set up to fit the victim',
    draw: () => ({ ...HOME, accepted: [['DE', 1]] }),
    most: 0,
  },
];

function toInput(login: Login): ContradictionInput {
  const address = PLACES[login.address];
  const device = PLACES[login.device];
  const [first, ...others] = login.accepted.map(([country, hours]) => ({
    latitude: PLACES[country].latitude,
    longitude: PLACES[country].longitude,
    atSeconds: NOW - Math.round(hours * 3600),
  }));
  const places: MemorySide['places'] = first === undefined ? undefined : [first, ...others];
  const side = (signals: object) => ({ found: true, ...signals }) as Side;
  return {
    evidence: {
      stytch: side({
        country: login.fingerprint,
        asn: PLACES[login.fingerprint].asns[0],
        created_at_unix_seconds: NOW - 20,
      }),
      mobilerun: side({
        time_zone: PLACES[login.clock].zone,
        carrier_country: login.sim,
        sim_operator_numeric: PLACES[login.sim].operator,
        carrier_operator_numeric: PLACES[login.network].operator,
      }),
      prefactor: side({
        last_seen: {
          country: login.device,
          asn: device.asns[login.isHopping ? 1 : 0],
          latitude: device.latitude,
          longitude: device.longitude,
          time_zone: PLACES[login.clock].zone,
          at_unix_seconds: NOW - 20,
        },
      }),
    },
    request: {
      userAgent: undefined,
      ip: undefined,
      place: {
        country: login.address,
        asn: address.asns[0],
        latitude: address.latitude,
        longitude: address.longitude,
      },
    },
    memory: {
      places,
      hardware: { devices: login.devices, accounts: 1 },
      telemetryFirstUsedMs: (NOW - 5) * 1000,
    },
    nowMs: NOW * 1000,
    params: PLAN.params,
    reference: SMALL_WORLD,
  };
}

/** The reasons of one login by the default policy. */
function judge(login: Login): readonly string[] {
  const signals = [
    { action: 'ALLOW', reasons: [], is_authentic: true },
    { supported: true },
    { status: 'active' },
  ].map((own) => ({ outcome: 'ok' as const, signals: { found: true, ...own } }));
  const { reasons } = evaluatePolicy(POLICY, signals, REQUEST, {
    ...onLists(POLICY),
    ...seenActivity(POLICY, { hardware: { devices_remembered: login.devices } }),
    telemetry: FIRST_USE,
    step_up: 'none',
    contradictions: tellContradictions(PLAN, toInput(login)).value,
  });
  return reasons.map(({ code }) => code);
}

for (const { who, draw, most = IN_CROWD, least = 0 } of CROWDS)
  t.test(who, async (t) => {
    const random = createRandom(7);
    const counts = new Map<string, number>();
    let challenged = 0;
    for (let place = 0; place < IN_CROWD; place += 1) {
      const codes = judge(draw(random));
      if (codes.length > 0) challenged += 1;
      for (const code of codes) counts.set(code, (counts.get(code) ?? 0) + 1);
    }
    t.comment(`${challenged} of ${IN_CROWD} challenged ${JSON.stringify(Object.fromEntries(counts))}`);
    t.ok(challenged <= most, `${challenged} are no more than ${most}`);
    t.ok(challenged >= least, `${challenged} are no fewer than ${least}`);
  });
