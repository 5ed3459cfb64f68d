import type { SignalType } from '../policy/signal-type.ts';
import { ANYTHING } from './dimension.ts';
import type { Literal, SignalUse } from './signal-uses.ts';

/** How a signal is used by it and by all that it is compared with, directly or through others. */
export interface UseGroup extends Pick<SignalUse, 'literals' | 'searches' | 'opaque'> {
  /** How many signals they are. */
  readonly size: number;
}

/** Of more than these the subsets are too many. */
const LISTED_MAX = 4;
/** Of more signals compared with one another, not all orders are tried. */
const PEERS_MAX = 3;

/** Addresses for documentation (RFC 5737, RFC 3849): no network of a policy has all of them. */
const ADDRESSES = ['192.0.2.1', '198.51.100.1', '203.0.113.1', '2001:db8::1'];

/**
 * Values of a signal of this type, of which each stands for all that conditions cannot tell from it; the
 * first is unlike any literal. With ANYTHING where they may not be all.
 */
export function representativeValues(
  name: string,
  type: SignalType,
  use: UseGroup,
  isSigned: boolean,
): readonly unknown[] {
  switch (type.kind) {
    case 'bool':
      return [false, true];
    case 'int':
    case 'double':
      return withRest(numbers(type.kind === 'int', use, isSigned), use, use.searches.size);
    case 'string':
      return withRest(name === 'request.ip' ? addresses(use) : texts(use), use, use.searches.size);
    case 'list':
      return withRest(lists(use), use, use.literals.size > LISTED_MAX || use.size > 1 ? 2 : 0);
    case 'object':
      // Objects are compared with nothing.
      return withRest([{}], use, 0);
  }
}

/** Each search may be true or false whatever the others are: of one alone both are tried, where nothing is compared. */
function withRest(values: readonly unknown[], use: UseGroup, searches: number): readonly unknown[] {
  const isTold = searches === 0 || (searches === 1 && use.literals.size === 0 && use.size === 1);
  const isWhole = use.opaque.size === 0 && use.size <= PEERS_MAX && isTold;
  return isWhole ? values : [...values, ANYTHING];
}

function numbers(isInteger: boolean, { literals, size }: UseGroup, isSigned: boolean): readonly number[] {
  const known = [...new Set([...literals].filter((one) => typeof one === 'number').flatMap(toNeighbours))];
  known.sort((left, right) => left - right);
  // An integer is never equal to a fraction, and on one side of it.
  function toNeighbours(one: number): readonly number[] {
    return isInteger ? [Math.floor(one), Math.ceil(one)] : [one];
  }
  const fresh = Math.min(size, PEERS_MAX);
  const values = new Set<number>();
  const spread = (from: number, to: number): void => {
    for (let step = 1; step <= fresh; step += 1) {
      const between = from + ((to - from) * step) / (fresh + 1);
      const value = isInteger ? Math.floor(between) : between;
      if (value > from && value < to) values.add(value);
    }
  };
  const room = fresh + 1;
  const first = Math.ceil(known[0] ?? room);
  spread(first - room, known[0] ?? first);
  known.forEach((one, place) => {
    values.add(one);
    spread(one, known[place + 1] ?? Math.floor(one) + room);
  });
  return [...values].filter((value) => isSigned || value >= 0);
}

function texts({ literals, searches, size }: UseGroup): readonly string[] {
  const written = [...textsIn(literals), ...searches.values()];
  return [...new Set([...freshTexts(written, Math.min(size, PEERS_MAX)), ...written])];
}

/** Texts that are none of these, and contain none of them where any text can. */
function freshTexts(written: readonly string[], count: number): readonly string[] {
  const isFresh = (text: string) => written.every((one) => one === '' || !text.includes(one));
  const found = ['other', 'another', 'a third', '~~~', '###', '%%%'].filter(isFresh);
  return [...found, '\u{1F7E0}', '\u{1F7E1}', '\u{1F7E2}'].slice(0, count);
}

function addresses({ literals, searches }: UseGroup): readonly string[] {
  const bases = [...searches.values()].map((network) => network.replace(/\/.*/, ''));
  return [...new Set([...ADDRESSES, ...textsIn(literals), ...bases])];
}

/** Every subset of what is looked for. */
function lists({ literals }: UseGroup): readonly (readonly Literal[])[] {
  const written = [...literals];
  if (written.length > LISTED_MAX) return [[], ...written.map((one) => [one]), written];
  const subsets: (readonly Literal[])[] = [[]];
  for (const one of written) subsets.push(...subsets.map((some) => [...some, one]));
  return subsets;
}

function textsIn(literals: ReadonlySet<Literal>): readonly string[] {
  return [...literals].filter((one) => typeof one === 'string');
}
