import type { Signals, SignalValue } from '../evidence.ts';
import type { Coordinates } from '../great-circle.ts';
import type { AddressPlace, CountriesOfCodes, UserAgentNames } from './reference-data.ts';

/** What contradictions are about. Two of different families are harder to come to by chance than two of one. */
export const FAMILIES = ['place', 'client', 'hardware', 'session', 'time'] as const;

/** What a contradiction is about. */
export type Family = (typeof FAMILIES)[number];

/** What a contradiction was found, or not found, by: both sides, and numbers with their units in their names. */
export type Because = { readonly [name: string]: SignalValue | undefined };

/** Whether two sides contradict each other. */
export interface Found {
  readonly result: boolean;
  readonly because: Because;
}

/**
 * What one contradiction came to: `unknown` where something that it compares was lost, and `none` where there
 * is nothing to compare, because a definite answer does not say it or the subject lacks it. Neither is false.
 */
export type Finding = Found | 'unknown' | 'none';

/**
 * What one provider said: `unknown` where that was lost or is in doubt, `none` where it was not asked.
 */
export type Side = Signals | 'unknown' | 'none';

/**
 * A value of one side: undefined where it is not said, and null where it was lost or is not what it was
 * declared as.
 */
export type Told<Value> = Value | undefined | null;

/** What the request says of itself. */
export interface RequestSide {
  readonly userAgent: Told<UserAgentNames>;
  /** Its address, in its canonical spelling. */
  readonly ip: Told<string>;
  /** Of its address. */
  readonly place: Told<AddressPlace>;
}

/** A place in which the account was accepted, to a tenth of a degree. */
export interface AcceptedPlace extends Coordinates {
  /** When last, Unix seconds. */
  readonly atSeconds: number;
}

/** What this service remembers of the subject. `LatestMoment` has all of it. */
export interface MemorySide {
  /** The places of the account, the latest first. */
  readonly places: Told<readonly [AcceptedPlace, ...AcceptedPlace[]]>;
  /** One may be missing that was accepted until then, and later than all of these, Unix seconds. */
  readonly placesMissedUntil?: number | undefined;
  /** With how many devices and accounts the identifiers of the hardware were seen within 30 days. */
  readonly hardware: { readonly devices: Told<number>; readonly accounts: Told<number> };
  /** When the telemetry id was first used here, Unix milliseconds. */
  readonly telemetryFirstUsedMs: Told<number>;
}

/** All that contradictions compare. */
export interface ContradictionInput {
  readonly evidence: Readonly<Record<'stytch' | 'mobilerun' | 'prefactor', Side>>;
  readonly request: RequestSide;
  readonly memory: MemorySide;
  /** When the decision is made, Unix milliseconds. */
  readonly nowMs: number;
  /** The parameters of every contradiction, by their names. */
  readonly params: Readonly<Record<string, number>>;
  readonly reference: CountriesOfCodes;
}

/** The parts of the input that a contradiction can read. */
export const INPUT_PARTS = ['stytch', 'mobilerun', 'prefactor', 'request', 'memory', 'time'] as const;

/** A part of the input. */
type InputPart = (typeof INPUT_PARTS)[number];

/** Two things that cannot both be so of one device and one person. */
export interface Contradiction {
  /** Its signal is `contradictions.<id>`. */
  readonly id: string;
  readonly family: Family;
  /** One sentence, for the manual. */
  readonly meaning: string;
  /** It depends on nothing else: what is found without `memory` and `time` is found once for the same evidence. */
  readonly reads: readonly InputPart[];
  /** The providers whose answers name what is looked for in `memory`. */
  readonly namedBy?: readonly InputPart[];
  /** Facts about the subject that `memory` is told by. */
  readonly needs?: readonly string[];
  /** The parameters of policies that it reads, with what they are where a policy has none. Above 0. */
  readonly params?: Readonly<Record<string, number>>;
  /** Pure and total, whatever evidence holds: stored evidence is of any version. */
  readonly find: Find;
  /**
   * `find` for evidence that is read once, and that the input then has too. Absent where `find` reads none, and
   * where what it finds is remembered.
   */
  readonly bind?: Bind;
}

/** Finds what one contradiction comes to. */
export type Find = (input: ContradictionInput) => Finding;

/** Reads the evidence, which does not change. */
type Bind = (evidence: ContradictionInput['evidence']) => Find;

/** The two ways to find what depends on evidence and on more than that. */
export function findBoundTo(bind: Bind): Required<Pick<Contradiction, 'find' | 'bind'>> {
  return { find: (input) => bind(input.evidence)(input), bind };
}
