import t from 'tap';
import {
  type OriginEvidence,
  readDecidedOrigin,
  readOrigin,
} from '../../../src/application/activity/read-evidence.ts';
import { withEvidence } from '../../../src/application/activity/subject-names.ts';
import type { Signals } from '../../../src/domain/evidence.ts';

const NOW_MS = 1_800_000_000_000;
const HASHES = ['a', 'b', 'c'].map((digit) => digit.repeat(32));
const MOMENT = { nowMs: NOW_MS, place: null };

/** A piece of evidence of a provider that tells of telemetry ids, or of devices. */
function piece(
  id: string,
  signals: Signals | object | null,
  outcome = 'ok',
  { isSuspect = false, origin = 'miss' } = {},
): OriginEvidence {
  const source = {
    isSuspect: () => isSuspect,
    visitorOf: (told: Signals) => told['visitor'] ?? null,
    placeOf: (told: Signals) => ({ country: told['country'] ?? null, asn: told['asn'] ?? null }),
  };
  const subject = id.startsWith('stytch') ? 'telemetry_id' : 'device_id';
  return {
    slot: { id, subject, source },
    evidence: { outcome, signals },
    origin,
  } as unknown as OriginEvidence;
}

const phone = (imei_hash: string) => piece('mobilerun', { found: true, identifiers: { imei_hash } });
const seen = (secondsAgo: number) =>
  piece('prefactor', {
    found: true,
    last_seen: { latitude: 52.5, longitude: 13.4, at_unix_seconds: NOW_MS / 1000 - secondsAgo },
  });

t.test('takes visitor and place from the first provider that tells them', async (t) => {
  const [visitor = '', other = ''] = HASHES;
  const first = piece('stytch', { visitor: 'no hash', country: 'DE' });
  const second = piece('stytch-2', { visitor, country: 'FR', asn: 7 });
  const third = piece('stytch-3', { visitor: other, asn: 8 });
  t.match(readOrigin([first, second, third], MOMENT), { visitor, country: 'DE', asn: 7, isLost: false });
  t.match(readOrigin([first, second, third], MOMENT), { visitor, country: 'DE', asn: 7 }, 'read again');
});

t.test('reads a decision as what it was made of', async (t) => {
  const [visitor = ''] = HASHES;
  const pieces = [piece('stytch', { visitor, country: 'DE' }), piece('mobilerun', null, 'timeout')];
  const slots = [...pieces.map(({ slot }) => slot), piece('prefactor', null).slot];
  const evidence = pieces.map(({ evidence: { outcome, signals }, origin }) => ({
    outcome,
    origin,
    stored: signals,
  }));
  const decision = { evidence, place: null, decidedAtMs: NOW_MS } as unknown as Parameters<
    typeof readDecidedOrigin
  >[0];
  const told = { visitor, country: 'DE', isLost: false, isHardwareLost: true };
  t.match(
    readDecidedOrigin(decision, slots),
    told,
    'also where it has nothing of a provider that came later',
  );
  t.match(readOrigin(pieces, MOMENT), told);
});

t.test('adds up the hardware of all that tell any, and nothing that is no hash', async (t) => {
  const [one = '', two = ''] = HASHES;
  t.same(readOrigin([phone(one), phone('no hash'), phone(two)], MOMENT).hardware, [one, two]);
  t.same(readOrigin([phone('no hash')], MOMENT).hardware, []);
});

t.test('takes a device to be where it was seen a moment ago, and nowhere else', async (t) => {
  t.same(readOrigin([seen(60)], MOMENT).coordinates, { latitude: 52.5, longitude: 13.4 });
  t.equal(readOrigin([seen(3_600)], MOMENT).coordinates, null);
  t.equal(readOrigin([piece('prefactor', { found: true })], MOMENT).coordinates, null);
  const place = { latitude: 1, longitude: 2 } as const;
  t.same(readOrigin([seen(60)], { nowMs: NOW_MS, place }).coordinates, place, 'the address is first');
});

t.test('knows what was lost', async (t) => {
  t.match(readOrigin([piece('stytch', null, 'timeout')], MOMENT), { isLost: true, isHardwareLost: false });
  t.match(readOrigin([piece('mobilerun', null, 'timeout')], MOMENT), { isLost: false, isHardwareLost: true });
  t.match(readOrigin([piece('prefactor', null, 'timeout')], MOMENT), {
    isLost: false,
    isHardwareLost: false,
  });
});

t.test('takes for lost what a provider says of every id', async (t) => {
  const none = { found: false };
  const suspect = { isSuspect: true };
  t.match(readOrigin([piece('stytch', none, 'not_found', suspect)], MOMENT), { isLost: true });
  t.match(readOrigin([piece('mobilerun', none, 'not_found', suspect)], MOMENT), { isHardwareLost: true });
  for (const certain of [
    piece('stytch', none, 'not_found'),
    piece('stytch', none, 'not_found', { isSuspect: true, origin: 'none' }),
    piece('stytch', { found: true }, 'ok', suspect),
  ])
    t.match(readOrigin([certain], MOMENT), { isLost: false });
});

t.test('names what evidence names under every key that it was asked with', async (t) => {
  const [visitor = '', imei = '', drm = ''] = HASHES;
  const names = { account: 'a', device: null, ip: null, telemetry: null, visitor: null, hardware: [] };
  const told = { visitor, hardware: [imei, drm], otherNames: { [imei]: { old: 'imei-of-old' } } };
  t.match(withEvidence(names, told, 0, 'own'), { visitor, hardware: [imei, drm] });
  t.match(withEvidence(names, told, 1, 'old'), { visitor: null, hardware: ['imei-of-old'] });
  t.match(withEvidence(names, { ...told, visitor: null }, 1, 'old'), { account: 'a', visitor: null });
});
