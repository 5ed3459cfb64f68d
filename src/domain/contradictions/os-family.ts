import type { Contradiction, ContradictionInput, Finding, Side, Told } from './contradiction.ts';
import { anyOf, compare, flagOf, found, textOf } from './told.ts';

/** Kinds of operating systems that a device cannot change between. */
type System = 'android' | 'chromeos' | 'ios' | 'linux' | 'macos' | 'windows';

/** Words of each in the names of Stytch and of User-Agents, in the order in which they are looked for. */
const WORDS: readonly (readonly [System, RegExp])[] = [
  ['android', /\bandroid\b/i],
  ['ios', /\b(?:ios|ipados|iphone|ipad)\b/i],
  ['chromeos', /\b(?:chrome ?os|cros)\b/i],
  ['windows', /^windows\b(?! phone)/i],
  ['macos', /\bmac ?os\b|\bmacintosh\b|^mac\b/i],
  ['linux', /\b(?:linux|ubuntu|fedora)\b/i],
];

/** What a browser says of itself, or what was found of its device. */
interface Claim {
  readonly said: string;
  readonly system: System;
  readonly isUserAgent: boolean;
}

/** One device with two operating systems. */
export const OS_FAMILY: Contradiction = {
  id: 'os_family',
  family: 'client',
  meaning:
    "Operating systems differ between the User-Agent of the request, that of Prefactor's last interaction, Stytch's device type, and Mobilerun, whose phones are Android. A browser that asks for desktop pages, iOS as macOS or Android as Linux, is no difference, and neither is Chrome OS as Linux.",
  reads: ['stytch', 'mobilerun', 'prefactor', 'request'],
  find: ({ evidence, request: { userAgent } }: ContradictionInput): Finding => {
    const { stytch, mobilerun, prefactor } = evidence;
    const claims: readonly (readonly [string, Told<Claim>])[] = [
      ['request_user_agent', toClaim(userAgent === null ? null : userAgent?.os, true)],
      ['prefactor_user_agent', toClaim(textOf(prefactor, 'last_seen', 'user_agent_os'), true)],
      ['stytch_device_type', toClaim(textOf(stytch, 'device_type'), false)],
      ['mobilerun', toPhone(mobilerun)],
    ];
    return anyOf(
      claims.flatMap(([name, claim], place) =>
        claims.slice(place + 1).map(([otherName, other]) =>
          compare(claim, other, (left, right) =>
            found(!areAlike(left, right) && !areAlike(right, left), {
              [name]: left.said,
              [otherName]: right.said,
            }),
          ),
        ),
      ),
    );
  },
};

/** True where a User-Agent names a system that is certain to be another than the one of a device type. */
export function areOfTwoSystems(userAgentOs: string, deviceType: string): boolean {
  const [claim, other] = [toClaim(userAgentOs, true), toClaim(deviceType, false)];
  return isClaim(claim) && isClaim(other) && !areAlike(claim, other) && !areAlike(other, claim);
}

function isClaim(told: Told<Claim>): told is Claim {
  return typeof told === 'object' && told !== null;
}

/** A name that is not known has nothing to compare. */
function toClaim(said: Told<string>, isUserAgent: boolean): Told<Claim> {
  if (typeof said !== 'string') return said;
  const system = WORDS.find(([, words]) => words.test(said))?.[0];
  return system === undefined ? undefined : { said, system, isUserAgent };
}

/** Only a phone that gave a fingerprint is sure to be one. */
function toPhone(mobilerun: Side): Told<Claim> {
  const isSupported = flagOf(mobilerun, 'supported');
  if (isSupported === null) return null;
  return isSupported ? { said: 'Android', system: 'android', isUserAgent: false } : undefined;
}

/** Whether what the first says can be said on the system of the second. */
function areAlike({ system, isUserAgent }: Claim, { system: other }: Claim): boolean {
  if (system === other) return true;
  if (system === 'linux' && other === 'chromeos') return true;
  return (
    isUserAgent && ((system === 'macos' && other === 'ios') || (system === 'linux' && other === 'android'))
  );
}
