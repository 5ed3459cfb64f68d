import { BROWSER_MAP, OS_MAP, parse } from 'bowser';
import { LRUCache } from 'lru-cache';

/** Browser and operating system by name, for example `Chrome` and `macOS`, or `Other`. */
interface UserAgentNames {
  readonly family: string;
  readonly os: string;
  /** The major version of a browser with a name; absent where it does not say one. */
  readonly major: number | undefined;
}

/**
 * The longest User-Agent that is parsed. A longer one gives no better names, and the parser's expressions are
 * cheap up to this length.
 */
const USER_AGENT_CHARS_MAX = 512;

/** Names are cached: few browsers make most of the traffic, and parsing one takes 9 µs. */
const namesOf = new LRUCache<string, UserAgentNames>({ max: 500 });

const UNKNOWN = 'Other';
/** Names that bowser returns besides those of its maps. */
const EXTRA_FAMILIES = ['Opera Touch', 'SlimerJS', 'Miui', 'PlayStation 4'];
const FAMILIES: ReadonlySet<string> = new Set([...Object.values(BROWSER_MAP), ...EXTRA_FAMILIES]);
const SYSTEMS: ReadonlySet<string> = new Set(Object.values(OS_MAP));

/**
 * The names in a User-Agent, or undefined for an empty one. For an unknown browser, bowser returns a part of
 * the text, which may identify someone. So only names of its own lists are kept; anything else is `Other`.
 */
export function toUserAgentNames(userAgent: string | null | undefined): UserAgentNames | undefined {
  const text = userAgent?.trim().slice(0, USER_AGENT_CHARS_MAX) ?? '';
  if (text === '') return undefined;
  const known = namesOf.get(text);
  if (known !== undefined) return known;
  const { browser, os } = parse(text);
  const family = toKnown(browser.name, FAMILIES);
  const major = family === UNKNOWN ? undefined : toMajor(browser.version);
  const names = { family, os: toKnown(os.name, SYSTEMS), major };
  namesOf.set(text, names);
  return names;
}

function toKnown(name: string | undefined, known: ReadonlySet<string>): string {
  return name !== undefined && known.has(name) ? name : UNKNOWN;
}

/** A longer number is no version, and could identify someone. */
function toMajor(version: string | undefined): number | undefined {
  const digits = /^(\d{1,4})(?:\.|$)/.exec(version ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}
