/** One case, for a report in JUnit's format. */
interface JunitCase {
  readonly name: string;
  readonly line: number;
  /** Lines that say what is wrong; null for a case that passes. */
  readonly failure: readonly string[] | null;
}

/** The cases of one file. */
interface JunitSuite {
  readonly file: string;
  readonly cases: readonly JunitCase[];
}

/**
 * A report in the XML of JUnit that build servers read. Node's own writer (`node:test/reporters`) escapes the
 * quotes of names twice, and needs events of its test runner.
 */
export function toJunit(suites: readonly JunitSuite[]): string {
  const all = suites.flatMap(({ cases }) => cases);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="riskgate test"${countsOf(all)}>`,
    ...suites.flatMap(({ file, cases }) => [
      `  <testsuite name="${escaped(file)}"${countsOf(cases)}>`,
      ...cases.flatMap((one) => toCaseLines(file, one)),
      '  </testsuite>',
    ]),
    '</testsuites>',
    '',
  ].join('\n');
}

function countsOf(cases: readonly JunitCase[]): string {
  return ` tests="${cases.length}" failures="${cases.filter(({ failure }) => failure !== null).length}" errors="0"`;
}

function toCaseLines(file: string, { name, line, failure }: JunitCase): readonly string[] {
  const head = `    <testcase name="${escaped(name)}" classname="${escaped(file)}" file="${escaped(file)}" line="${line}"`;
  if (failure === null) return [`${head}/>`];
  const [first = ''] = failure;
  const text = escaped(failure.join('\n'));
  return [
    `${head}>`,
    `      <failure type="difference" message="${escaped(first)}">${text}</failure>`,
    '    </testcase>',
  ];
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

/** Characters that XML 1.0 does not have, alone or as a half of a pair, are replaced. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[^\t\n\r\u0020-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
    .replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}
