import { hash } from 'node:crypto';
import type { SignedInPerson } from '../../application/callers/session-store.ts';
import { holdsIdentifier } from '../../domain/decision-log/note-identifiers.ts';
import type { Caller, SCOPES } from './api-keys.ts';

type Scope = (typeof SCOPES)[number];

/** What people who sign in elsewhere may do here, and how they are called. */
export interface PeopleRules {
  /** Who says so: sessions of another issuer or client do not count. */
  readonly source: string;
  /** The scopes of each group. */
  readonly groups: ReadonlyMap<string, readonly Scope[]>;
  /** The claim that lists the groups of somebody; with dots into an object, where none has that name. */
  readonly groupsClaim: string;
  /** The claim with the name. */
  readonly nameClaim: string;
}

/** Who signed in, by the rules in force. */
export interface People {
  /** Null for somebody who is in none of the groups. */
  personOf(claims: Readonly<Record<string, unknown>>): SignedInPerson | null;
  /** What a person may do now; null where that is nothing any more. */
  callerOf(person: SignedInPerson): Caller | null;
}

const NAME_CHARACTERS_MAX = 48;
const MARK_DIGITS = 8;
/** A list that is longer is not looked at any further. */
const GROUPS_READ_MAX = 5_000;

/** Builds it over the rules. */
export function createPeople({ source, groups, groupsClaim, nameClaim }: PeopleRules): People {
  return {
    personOf: (claims) => {
      const ours = groupsIn(claimOf(claims, groupsClaim)).filter((group) => groups.has(group));
      if (ours.length === 0) return null;
      const subject = claims['sub'];
      const mark = hash('sha256', `${source} ${String(subject)}`).slice(0, MARK_DIGITS);
      const name = [claims[nameClaim], claims['preferred_username'], 'somebody'].map(toName).find(Boolean);
      return { source, name: `${name} #${mark}`, groups: [...new Set(ours)] };
    },
    callerOf: (person) => {
      if (person.source !== source) return null;
      const scopes = new Set(person.groups.flatMap((group) => groups.get(group) ?? []));
      if (scopes.size === 0) return null;
      if (scopes.has('admin')) scopes.add('review');
      const use = { caller: person.name, key: '', lastMs: 0 };
      return { id: person.name, scopes, notAfterMs: null, limits: null, use };
    },
  };
}

/**
 * A name as it can stand in records and tables: one line of letters, digits and what is between them in names. It
 * begins with a letter or digit, so that no spreadsheet takes it for a formula, and has no `#`: people choose their
 * names, and the mark behind it, which is made of what the issuer knows them by, is what tells them apart from one
 * another and from API keys. Some issuers call people by their e-mail addresses or telephone numbers: of the first
 * what stands before the `@` is taken, of the second nothing.
 */
function toName(claim: unknown): string {
  if (typeof claim !== 'string') return '';
  const plain = claim
    .slice(0, 4 * NAME_CHARACTERS_MAX)
    .normalize('NFC')
    .replaceAll(/[^\p{L}\p{M}\p{N} .,'’@_-]+/gu, ' ')
    .replaceAll(/ +/g, ' ')
    .replace(/^[^\p{L}\p{N}]+/u, '')
    .replaceAll(/@[^ ]*/g, '');
  const name = Array.from(plain).slice(0, NAME_CHARACTERS_MAX).join('').trim();
  return holdsIdentifier(name, () => false) ? '' : name;
}

function claimOf(claims: Readonly<Record<string, unknown>>, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let value: unknown = claims;
  for (const step of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = Reflect.get(value, step);
  }
  return value;
}

/** A single group comes as a text from some issuers. */
function groupsIn(claim: unknown): readonly string[] {
  const listed: readonly unknown[] = Array.isArray(claim) ? claim.slice(0, GROUPS_READ_MAX) : [claim];
  return listed.filter((group) => typeof group === 'string');
}
