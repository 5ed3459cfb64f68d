import { toFormText } from './form-text.ts';
import { mapMembers } from './map-members.ts';

/**
 * Signals taken apart into what many pieces of evidence have in common, what is one's own, and what changes
 * with the time.
 */
export interface SignalsParts {
  /** JSON: names and texts, with a mark wherever something was taken out. */
  readonly form: string;
  /** Hashes of 32 hex digits, one after the other. */
  readonly hashes: string;
  /** The other numbers, and texts that hardly two networks have in common. */
  readonly numbers: readonly (number | string)[];
  /** Times and ages: texts that are a time, and numbers whose name ends in `_seconds`. */
  readonly times: readonly (string | number)[];
}

/** Begins every mark. A text that begins with it gets another mark, so that none is taken for one. */
const MARK = '\u0000';
const HASH = `${MARK}h`;
const NUMBER = `${MARK}n`;
const TIME = `${MARK}t`;
const TEXT = `${MARK}s`;

const [HASH_MARK, NUMBER_MARK, TIME_MARK] = [HASH, NUMBER, TIME].map((mark) => JSON.stringify(mark)) as [
  string,
  string,
  string,
];

const HEX_HASH = /^[\da-f]{32}$/;
const HASH_CHARS = 32;
const UTC_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;
const SECONDS = '_seconds';
/** Names of texts of which there are too many for a form each. */
const OWN_TEXTS: ReadonlySet<string> = new Set(['asn_name', 'network', 'city']);

/** Takes signals apart. They are plain JSON. */
export function takeApart(signals: object): SignalsParts {
  let hashes = '';
  const numbers: (number | string)[] = [];
  const times: (string | number)[] = [];
  const cut = (value: string | number, name: string): string => {
    if (typeof value === 'number') {
      const isTime = name.endsWith(SECONDS);
      if (isTime) times.push(value);
      else numbers.push(value);
      return isTime ? TIME_MARK : NUMBER_MARK;
    }
    if (OWN_TEXTS.has(name)) {
      numbers.push(value);
      return NUMBER_MARK;
    }
    if (value.length === HASH_CHARS && HEX_HASH.test(value)) {
      hashes += value;
      return HASH_MARK;
    }
    if (value.endsWith('Z') && UTC_TIME.test(value)) {
      times.push(value);
      return TIME_MARK;
    }
    return JSON.stringify(value.startsWith(MARK) ? TEXT + value : value);
  };
  const form = toFormText(signals, '', cut);
  return { form, hashes, numbers, times };
}

/** Puts signals together again, as they were. Throws where the parts do not belong together. */
export function putTogether({ form, hashes, numbers, times }: SignalsParts): object {
  let [hash, number, time] = [0, 0, 0];
  const signals = fillSignals(form, {
    hash: () => {
      hash += HASH_CHARS;
      return hashes.slice(hash - HASH_CHARS, hash);
    },
    number: () => {
      number += 1;
      return numbers[number - 1];
    },
    time: () => {
      time += 1;
      return times[time - 1];
    },
  });
  if (hash !== hashes.length || number !== numbers.length || time !== times.length)
    throw Object.assign(new Error('evidence that does not fit its record'), { code: 'DAMAGED' });
  return signals;
}

/** The form of signals with something in the place of each value, in their order. */
export function fillSignals(
  form: string,
  fillers: { readonly hash: () => unknown; readonly number: () => unknown; readonly time: () => unknown },
): object {
  const fill = (value: unknown): unknown => {
    if (typeof value !== 'string' || !value.startsWith(MARK)) return mapMembers(value, fill);
    switch (value) {
      case HASH:
        return fillers.hash();
      case NUMBER:
        return fillers.number();
      case TIME:
        return fillers.time();
      default:
        return value.slice(TEXT.length);
    }
  };
  // What was taken apart was an object.
  return mapMembers(JSON.parse(form), fill) as object;
}
