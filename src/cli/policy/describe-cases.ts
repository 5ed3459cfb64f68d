import { styleText } from 'node:util';
import type { LocatedCase } from '../../application/load-policy-cases.ts';
import { type DiffLine, describeFailure } from '../../domain/policy-tests/describe-failure.ts';
import { type JudgedCase, judgeCases } from '../../domain/policy-tests/judge-cases.ts';
import type { OpenCases } from './open-cases.ts';

/** A case of a file with what it came to. */
interface RunCase {
  readonly case: LocatedCase;
  readonly judged: JudgedCase;
  /** Empty where it passes. */
  readonly diff: readonly DiffLine[];
}

/** A file of cases that was run. */
interface RunFile {
  readonly opened: OpenCases;
  readonly cases: readonly RunCase[];
  readonly failed: number;
}

/** Judges all cases of a file. */
export function runCases(opened: OpenCases): RunFile {
  const judged = judgeCases(opened.policy, opened.cases);
  const cases = opened.cases.flatMap((one, place): RunCase[] => {
    const own = judged[place];
    if (own === undefined) return [];
    const diff = own.differences.length === 0 ? [] : describeFailure(opened.policy, own);
    return [{ case: one, judged: own, diff }];
  });
  return { opened, cases, failed: cases.filter(({ diff }) => diff.length > 0).length };
}

/** The lines about the cases that fail, and how many passed; in colour where the stream is a terminal. */
export function describeRun(
  { opened, cases, failed }: RunFile,
  stream: NodeJS.WritableStream,
): readonly string[] {
  const paint = (style: 'red' | 'green' | 'bold', text: string) => styleText(style, text, { stream });
  const failures = cases
    .filter(({ diff }) => diff.length > 0)
    .flatMap(({ case: { name, line, column }, diff }) => [
      paint('bold', `${opened.path}:${line}:${column}: ${name}`),
      ...toTextLines(diff).map((text) =>
        text.startsWith('-')
          ? paint('red', `  ${text}`)
          : text.startsWith('+')
            ? paint('green', `  ${text}`)
            : `  ${text}`,
      ),
      '',
    ]);
  const passed = cases.length - failed;
  return [...failures, `${opened.path}: ${passed} passed, ${failed} failed`];
}

/** A diff as text. */
export function toTextLines(diff: readonly DiffLine[]): readonly string[] {
  return diff.map(({ sign, text }) => `${sign} ${text}`);
}

/** The cases of a file, for programs. */
export function toRunJson({ opened, cases, failed }: RunFile): object {
  const { path, policyPath, policy } = opened;
  return {
    file: path,
    policy: { file: policyPath, id: policy.id, hash: policy.hash },
    passed: cases.length - failed,
    failed,
    cases: cases.map(({ case: { name, line, column, expected }, judged: { judgement, differences } }) => ({
      name,
      line,
      column,
      passed: differences.length === 0,
      expected: { ...expected, degraded: expected.degraded ?? false },
      actual: {
        decision: judgement.verdict,
        degraded: judgement.degraded,
        reasons: judgement.reasons.map(({ code }) => code),
      },
      differences,
    })),
  };
}
