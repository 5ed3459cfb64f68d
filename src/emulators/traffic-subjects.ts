import { type Crowd, homeAddress, toCrowdIds } from './crowds.ts';

/** What is asked, as the API spells it; the address in its canonical spelling. */
interface QuestionBody {
  readonly telemetry_id: string;
  readonly device_id?: string;
  readonly device_ids?: Readonly<Record<string, string>>;
  readonly account_id: string;
  readonly ip: string;
  readonly action: string;
}

/** One question of the generated traffic, and its caller. */
export interface Question {
  readonly caller: string;
  readonly body: QuestionBody;
  /** The user passes whatever challenge comes. */
  readonly isOwner?: boolean;
  /** The crowd that it is one of; absent for everybody else. */
  readonly crowd?: Crowd;
}

/** The current phase of the generated traffic. */
export type Weather = 'calm' | 'attack' | 'outage';

/** Draws questions at random. */
interface Subjects {
  next(weather: Weather): Question;
}

/** The callers that the traffic comes from; each has a key of its own. */
export const CALLERS = ['web-login', 'mobile-app', 'checkout'] as const;

const ACTIONS: Readonly<Record<(typeof CALLERS)[number], readonly string[]>> = {
  'web-login': ['login', 'login', 'login', 'signup', 'password_reset'],
  'mobile-app': ['login', 'login', 'signup'],
  checkout: ['payment', 'payment', 'payout'],
};

/** Users with a device and an account each. They return, so that caches are used. */
const PEOPLE = 300;
/** Those who attack, with a device and an address each, one of which is that of honest people. */
const ATTACKERS = 20;
/** The account that they are after most. */
const WANTED_ACCOUNT = 'acct_3';
/** The share of requests in which somebody has a new phone. */
const NEW_DEVICE_SHARE = 0.03;
/** The share of requests of honest people whom a contradiction might hurt, and how many there are of each. */
const CROWD_SHARE = 0.06;
const HONEST_CROWDS = ['traveller', 'roamer', 'vpn', 'new-vpn'] as const;
const CROWD_SIZE = 30;
/** The share of an attack that comes with a cloud phone. */
const CLOUD_PHONE_SHARE = 0.08;
/** The share of requests that follow one of the same session. */
const SESSION_SHARE = 0.35;
const SESSIONS_KEPT = 50;

/**
 * The other subjects of normal traffic besides healthy users, by the ids of src/emulators/README.md, with the
 * share of each in percent.
 */
const ODDITIES: readonly (readonly [share: number, telemetryId: string | null, deviceId: string | null])[] = [
  [4, 'challenge', null],
  [1.2, 'block', null],
  [1, 'headless', null],
  [1.5, 'inauthentic', null],
  [0.6, 'unknown-action', null],
  [1.5, 'forged', null],
  [0.8, '', null],
  [1, null, 'revoked'],
  [0.6, null, 'unsupported'],
  [0.4, null, 'stolen'],
  [0.3, 'fault-slow-3000', null],
];

interface Session {
  readonly telemetryId: string;
  readonly person: number;
}

/** `random` gives numbers in [0, 1). */
export function createSubjects(random: () => number = Math.random): Subjects {
  let serial = 0;
  const sessions: Session[] = [];
  const below = (bound: number) => Math.floor(random() * bound);
  // `below` is always within the list, and no list here is empty.
  const pick = <Value>(values: readonly Value[]): Value => values[below(values.length)] as Value;
  const openSession = (isKept: boolean): Session => {
    serial += 1;
    // Most answers are fast; some take three times as long.
    const latencyMs = 15 + Math.round(60 * random() ** 3 + 20 * random());
    const session = { telemetryId: `fault-slow-${latencyMs}-session-${serial}`, person: below(PEOPLE) };
    if (isKept) sessions.push(session);
    if (sessions.length > SESSIONS_KEPT) sessions.shift();
    return session;
  };
  /** A telemetry id is bound to its first user, so every unusual subject has its own. */
  const suffixed = (telemetryId: string) => `${telemetryId}-${++serial}`;
  const draw = (crowd: Crowd): Question => {
    serial += 1;
    const caller = crowd === 'cloud-phone' ? 'mobile-app' : pick(CALLERS);
    return toCrowdQuestion(crowd, caller, pick(ACTIONS[caller]), [below(CROWD_SIZE), serial]);
  };
  const usual = (isNew = false): Question => {
    if (!isNew && random() < CROWD_SHARE) return draw(pick(HONEST_CROWDS));
    const [telemetryId, deviceId] = drawOddity(random);
    const isOrdinary = !isNew && deviceId === null;
    const isKnown = isOrdinary && sessions.length > 0 && random() < SESSION_SHARE;
    const session = isKnown ? pick(sessions) : openSession(isOrdinary);
    const caller = pick(CALLERS);
    const isOwner = isOrdinary && !isKnown && telemetryId === null && random() < NEW_DEVICE_SHARE;
    const ownDevice = deviceOf(session.person);
    return {
      caller,
      body: {
        telemetry_id: telemetryId ? suffixed(telemetryId) : (telemetryId ?? session.telemetryId),
        device_id: deviceId ?? (isOwner ? suffixed(`${ownDevice}-new`) : ownDevice),
        account_id: `acct_${session.person}`,
        ip: homeAddress(session.person),
        action: pick(ACTIONS[caller]),
      },
      ...(isOwner && { isOwner }),
    };
  };
  /** Prefactor answers 503 to every id; the other providers work. */
  const outage = (): Question => {
    const { caller, body } = usual(true);
    const { device_id: deviceId = '', ...rest } = body;
    return {
      caller,
      body: { ...rest, device_ids: { mobilerun: deviceId, prefactor: suffixed('fault-flaky-9') } },
    };
  };
  return {
    next: (weather) => {
      if (weather === 'attack' && random() < CLOUD_PHONE_SHARE) return draw('cloud-phone');
      if (weather === 'attack') return random() < 0.85 ? drawAttack(random, sessions, suffixed) : usual();
      return weather === 'outage' ? outage() : usual();
    },
  };
}

/** Somebody of a crowd, by number, with a telemetry id of this serial number. */
function toCrowdQuestion(
  crowd: Crowd,
  caller: string,
  action: string,
  [number, serial]: readonly [number, number],
): Question {
  const ids = toCrowdIds(crowd, number, serial, `acct_${number}`);
  return { caller, crowd, isOwner: crowd === 'new-vpn', body: { ...ids, action } };
}

/** The device of one of the people, by their number. */
export function deviceOf(person: number): string {
  return `fault-slow-${12 + (person % 40)}-device-${person}`;
}

function drawOddity(random: () => number): readonly [string | null, string | null] {
  let mark = random() * 100;
  for (const [share, telemetryId, deviceId] of ODDITIES) {
    mark -= share;
    if (mark < 0) return [telemetryId, deviceId];
  }
  return [null, null];
}

/**
 * Credential stuffing from a few devices and addresses, which are those of honest people too: forged
 * telemetry ids, headless browsers, and some replays of other users' ids, against the logins of one
 * caller. A few come with ids that nothing is against, from a hosting network among others.
 */
function drawAttack(
  random: () => number,
  sessions: readonly Session[],
  suffixed: (telemetryId: string) => string,
): Question {
  const below = (bound: number) => Math.floor(random() * bound);
  const attacker = below(ATTACKERS);
  const stolen = sessions[below(sessions.length)]?.telemetryId;
  const kind = random();
  const telemetryId =
    kind < 0.6 ? 'forged' : kind < 0.8 ? 'headless' : kind < 0.9 ? 'fault-slow-20' : 'block';
  return {
    caller: 'mobile-app',
    body: {
      telemetry_id: kind > 0.95 && stolen !== undefined ? stolen : suffixed(telemetryId),
      device_id: `fault-slow-20-attacker-${attacker}`,
      account_id: random() < 0.1 ? WANTED_ACCOUNT : `acct_${below(5_000)}`,
      ip: random() < 0.05 ? `198.51.100.${attacker}` : homeAddress(attacker),
      action: 'login',
    },
  };
}
