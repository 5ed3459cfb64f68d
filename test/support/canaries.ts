import { hash } from 'node:crypto';
import type { Test } from 'tap';

/** In every value that identifies someone, and nowhere else in the world. */
export const MARK = 'cnry7f3a9c5d1e0b';

/**
 * Ids that are good, slow, failing or unknown, and such as mean something to Redis, HTTP, JSON, logs or
 * metrics.
 */
export const IDS: readonly string[] = [
  `fault-slow-0-${MARK}`,
  `fault-flaky-9-${MARK}`,
  `fault-wrong-subject-${MARK}`,
  MARK,
  `${MARK}\r\nSET ${MARK} 1\r\n`,
  `*3\r\n$3\r\nSET\r\n$16\r\n${MARK}`,
  `riskgate:v1:{${MARK}}:*`,
  `${MARK}"} 1\n# HELP ${MARK}`,
  `{"event":"${MARK}"}`,
  `\u001b[2J${MARK}\u0000\u2028`,
  `../../${MARK}?a=b#c`,
  `%0d%0a${MARK}%00`,
  `\${jndi:ldap://${MARK}}`,
  `__proto__.${MARK}`,
  `${MARK}${'x'.repeat(240)}`,
  `\ud800${MARK}`,
];

/**
 * The ways in which a value can still be read, unkeyed digests among them: whoever has a list of ids computes
 * those.
 */
function spellings(value: string): readonly string[] {
  const bytes = Buffer.from(value);
  const base64 = [0, 1, 2].map((shift) =>
    // The middle of the text is the same whatever stands before it; the ends depend on their neighbours.
    Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .slice(shift === 0 ? 0 : 4, -4),
  );
  const digests = ['md5', 'sha1', 'sha256', 'sha512'].flatMap((name) => [
    hash(name, value, 'hex'),
    hash(name, value, 'base64'),
  ]);
  return [
    value,
    encodeURIComponent(value.toWellFormed()),
    bytes.toString('hex'),
    bytes.toString('utf16le'),
    ...base64,
    ...digests,
  ];
}

/** What may be nowhere, in lower case. */
export const FORBIDDEN: ReadonlySet<string> = new Set(
  [...spellings(MARK), ...IDS.flatMap(spellings)]
    .filter((text) => text.length >= 10)
    .map((text) => text.toLowerCase()),
);

/** Fails where a text holds an identifier in any spelling, or is empty. */
export function assertClean(t: Test, text: string, where: string): void {
  t.ok(text.length > 0, `there is something of ${where}`);
  const lower = text.toLowerCase();
  t.same(
    [...FORBIDDEN].filter((form) => lower.includes(form)),
    [],
    `${where} holds no identifier`,
  );
}
