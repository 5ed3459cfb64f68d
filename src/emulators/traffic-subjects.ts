/** One question of the generated traffic, and its caller. */
interface Question {
  readonly caller: string;
  readonly body: Readonly<Record<string, unknown>>;
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
  const suffixed = (telemetryId: string) => {
    serial += 1;
    return `${telemetryId}-${serial}`;
  };
  const usual = (isNew = false): Question => {
    const [telemetryId, deviceId] = drawOddity(random);
    const isOrdinary = !isNew && deviceId === null;
    const isKnown = isOrdinary && sessions.length > 0 && random() < SESSION_SHARE;
    const session = isKnown ? pick(sessions) : openSession(isOrdinary);
    const caller = pick(CALLERS);
    return {
      caller,
      body: {
        telemetry_id: telemetryId ? suffixed(telemetryId) : (telemetryId ?? session.telemetryId),
        device_id: deviceId ?? deviceOf(session.person),
        account_id: `acct_${session.person}`,
        action: pick(ACTIONS[caller]),
      },
    };
  };
  /** Prefactor answers 503 to every id; the other providers work. */
  const outage = (): Question => {
    const { caller, body } = usual(true);
    const { device_id: deviceId, ...rest } = body;
    return {
      caller,
      body: { ...rest, device_ids: { mobilerun: deviceId, prefactor: suffixed('fault-flaky-9') } },
    };
  };
  return {
    next: (weather) => {
      if (weather === 'attack') return random() < 0.85 ? drawAttack(random, sessions, suffixed) : usual();
      return weather === 'outage' ? outage() : usual();
    },
  };
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
 * Credential stuffing: forged telemetry ids, headless browsers, and some replays of other users' ids, against
 * the logins of one caller.
 */
function drawAttack(
  random: () => number,
  sessions: readonly Session[],
  suffixed: (telemetryId: string) => string,
): Question {
  const below = (bound: number) => Math.floor(random() * bound);
  const stolen = sessions[below(sessions.length)]?.telemetryId;
  const kind = random();
  const telemetryId = kind < 0.7 ? 'forged' : kind < 0.9 ? 'headless' : 'block';
  return {
    caller: 'mobile-app',
    body: {
      telemetry_id: kind > 0.95 && stolen !== undefined ? stolen : suffixed(telemetryId),
      device_id: deviceOf(below(PEOPLE)),
      account_id: `acct_${below(5_000)}`,
      action: 'login',
    },
  };
}
