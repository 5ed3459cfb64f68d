import { memberText, toFormText } from './form-text.ts';
import { mapMembers } from './map-members.ts';

/** A record taken apart into what many records have in common, and its own values in their order. */
export interface RecordParts {
  /** Its members as JSON, with a mark wherever a value was taken out: joined and in braces, its form. */
  readonly members: readonly string[];
  /** Hashes and UUIDs, one after the other, 32 hex digits each. */
  readonly hex: string;
  readonly numbers: readonly number[];
  /** Unix milliseconds. */
  readonly times: readonly number[];
  /** Ids that others gave a request, without the UUID in them. */
  readonly texts: readonly string[];
}

/** Begins every mark. A text that begins with it gets another mark, so that none is taken for one. */
const MARK = '\u0000';
const HASH = `${MARK}h`;
/** Followed by the place of an equal hash before it. */
const SAME = `${MARK}=`;
const NUMBER = `${MARK}n`;
const MILLISECONDS = `${MARK}m`;
const SECONDS = `${MARK}t`;
const ID = `${MARK}i`;
/** An id with a UUID in it, in whose text a mark stands for that. */
const UUID_ID = `${MARK}u`;
const TEXT = `${MARK}s`;

/** How the mark of an equal hash begins in the text of a form. */
const SAME_TEXT = JSON.stringify(SAME).slice(1, -1);
/** Marks as they stand in the text of a form. */
const [HASH_TEXT, NUMBER_TEXT, MILLISECONDS_TEXT, SECONDS_TEXT, ID_TEXT, UUID_ID_TEXT] = [
  HASH,
  NUMBER,
  MILLISECONDS,
  SECONDS,
  ID,
  UUID_ID,
].map((mark) => JSON.stringify(mark)) as [string, string, string, string, string, string];

const HEX_HASH = /^[\da-f]{32}$/;
const UUID = /[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}/;
const TIME = /^\d{4}-(?:0[1-9]|1[0-2])-([0-3]\d)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{3})?Z$/;
/** Every month has it: no time on it or before is another one in truth. */
const SURE_DAY = '28';
const ID_NAME = 'request_id';
const HASH_CHARS = 32;

/** What is the same object in many records: all that come from one frame share it. */
const SHARED_NAMES: ReadonlySet<string> = new Set(['reasons', 'waivers', 'rules', 'request', 'policy']);

/** What a member of a record comes to that has no hash and no id. */
type FormPiece = Pick<RecordParts, 'numbers' | 'times'> & { readonly name: string; readonly text: string };

const pieces = new WeakMap<object, FormPiece>();

/** Takes a record apart, as it is stored. */
export function takeRecordApart(record: object): RecordParts {
  const hashes: string[] = [];
  let hex = '';
  const numbers: number[] = [];
  const times: number[] = [];
  const texts: string[] = [];
  const cutHash = (hash: string): string => {
    const before = hashes.indexOf(hash);
    if (before >= 0) return JSON.stringify(SAME + String(before));
    hashes.push(hash);
    hex += hash;
    return HASH_TEXT;
  };
  const cutId = (id: string): string => {
    const uuid = id.includes(MARK) ? undefined : UUID.exec(id)?.[0];
    texts.push(uuid === undefined ? id : id.replace(uuid, MARK));
    if (uuid === undefined) return ID_TEXT;
    hex += uuid.replaceAll('-', '');
    return UUID_ID_TEXT;
  };
  const cut = (value: string | number, name: string): string => {
    if (typeof value === 'number') {
      numbers.push(value);
      return NUMBER_TEXT;
    }
    if (name === ID_NAME) return cutId(value);
    if (value.length === HASH_CHARS && HEX_HASH.test(value)) return cutHash(value);
    const time = value.endsWith('Z') ? TIME.exec(value) : null;
    if (time !== null) {
      const [, day = '', fraction] = time;
      const ms = Date.parse(value);
      const isWhole = fraction === undefined;
      if ((day > '00' && day <= SURE_DAY) || toTime(ms, isWhole) === value) {
        times.push(ms);
        return isWhole ? SECONDS_TEXT : MILLISECONDS_TEXT;
      }
    }
    return JSON.stringify(value.startsWith(MARK) ? TEXT + value : value);
  };
  const write = (value: unknown, name: string): string => {
    if (!SHARED_NAMES.has(name) || typeof value !== 'object' || value === null)
      return memberText(name, toFormText(value, name, cut));
    const known = pieces.get(value);
    if (known?.name === name) {
      numbers.push(...known.numbers);
      times.push(...known.times);
      return known.text;
    }
    const before = [hex.length + hashes.length + texts.length, numbers.length, times.length] as const;
    const text = memberText(name, toFormText(value, name, cut));
    // What a hash becomes depends on those before it.
    const hasOthers = hex.length + hashes.length + texts.length > before[0];
    if (!hasOthers && !text.includes(SAME_TEXT))
      pieces.set(value, { name, text, numbers: numbers.slice(before[1]), times: times.slice(before[2]) });
    return text;
  };
  // Taken apart first: the others are filled by it.
  const members = Object.entries(record).map(([name, value]) => write(value, name));
  return { members, hex, numbers, times, texts };
}

/** The form of a record, as JSON or as its members. */
export type RecordForm = string | readonly string[];

/** Records of one block. */
export interface RecordBlock {
  /** The record at a place from 0, as it is stored; undefined beyond the last one. */
  at(place: number): unknown;
  /** The forms of its records. */
  readonly forms: readonly RecordForm[];
  /** The same without putting it together: its values by their places among those of their kind. */
  partsAt(place: number): StoredParts | undefined;
}

/** A record that is taken apart. */
export interface StoredParts {
  /** Its place among the forms of its block. */
  readonly form: number;
  numberAt(place: number): number | undefined;
  /** Unix milliseconds. */
  timeAt(place: number): number | undefined;
}

/** Gives the values of one record, in their order. */
export interface RecordValues {
  /** 32 hex digits. */
  nextHex(): string;
  nextNumber(): number;
  nextTime(): number;
  nextText(): string;
}

/** Puts a record together again. */
export function putRecordTogether(form: string, values: RecordValues): unknown {
  const hashes: string[] = [];
  return fillForm(form, {
    hash: () => {
      const hash = values.nextHex();
      hashes.push(hash);
      return hash;
    },
    same: (place) => hashes[place],
    number: () => values.nextNumber(),
    time: (isWhole) => toTime(values.nextTime(), isWhole),
    id: () => values.nextText(),
    uuidId: () => values.nextText().replace(MARK, toUuid(values.nextHex())),
  });
}

/** What takes the places of the values of a form, in their order. */
interface FormFillers {
  readonly hash: () => unknown;
  /** Given the place, among the hashes before it, of the one that it equals. */
  readonly same: (place: number) => unknown;
  readonly number: () => unknown;
  readonly time: (isWhole: boolean) => unknown;
  readonly id: () => unknown;
  readonly uuidId: () => unknown;
}

/** A form with something in the place of each value. */
export function fillForm(form: string, fillers: FormFillers): unknown {
  const fill = (value: unknown): unknown => {
    if (typeof value !== 'string' || !value.startsWith(MARK)) return mapMembers(value, fill);
    switch (value.slice(0, HASH.length)) {
      case HASH:
        return fillers.hash();
      case SAME:
        return fillers.same(Number(value.slice(SAME.length)));
      case NUMBER:
        return fillers.number();
      case MILLISECONDS:
        return fillers.time(false);
      case SECONDS:
        return fillers.time(true);
      case ID:
        return fillers.id();
      case UUID_ID:
        return fillers.uuidId();
      default:
        return value.slice(TEXT.length);
    }
  };
  return mapMembers(JSON.parse(form), fill);
}

/** A time as a record has it; null for none. */
export function toTime(ms: number, isWhole: boolean): string | null {
  if (!Number.isFinite(ms)) return null;
  const text = new Date(ms).toISOString();
  return isWhole ? text.replace('.000Z', 'Z') : text;
}

function toUuid(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
