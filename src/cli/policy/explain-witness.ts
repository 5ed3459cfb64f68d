import { plainIssue } from '../../domain/policy/plain-issue.ts';
import { judgeWitness, witnessSchema } from '../../domain/policy-analysis/witness.ts';
import { parseYaml } from '../../platform/yaml-document.ts';
import { type CliReport, CommandFailure, EXIT_CODES } from '../command.ts';
import { readFile } from './open-policy.ts';
import { requirePolicy } from './require-policy.ts';

const WITNESS_BYTES_MAX = 1_048_576;

/** The report of what a policy decides of a witness. Throws a `CommandFailure` where either is none. */
export function explainWitness(path: string, policyPath: string): CliReport {
  const document = parseYaml(readFile(path, WITNESS_BYTES_MAX));
  const parsed = witnessSchema.safeParse(document.value);
  const issues = parsed.error?.issues ?? [];
  const wrong = issues.map((issue) => `${issue.path.join('.')}: ${plainIssue(issue, document.value)}`);
  const mistakes = document.mistakes.length > 0 ? document.mistakes : wrong;
  if (mistakes.length > 0 || !parsed.success)
    throw new CommandFailure(
      'bad_witness',
      mistakes.map((mistake) => `${path}:${mistake}`).join('\n'),
      EXIT_CODES.usage,
    );
  const { verdict, degraded, reasons, waivers, trace } = judgeWitness(requirePolicy(policyPath), parsed.data);
  const expected = { verdict, degraded, ...parsed.data.expect };
  const isExpected = expected.verdict === verdict && expected.degraded === degraded;
  return {
    exitCode: isExpected ? EXIT_CODES.ok : EXIT_CODES.findings,
    lines: [
      `${verdict}${degraded ? ', degraded' : ''}`,
      ...reasons.map(({ code, rule, certain }) => `  ${code} (${rule}${certain ? '' : ', not certain'})`),
      ...waivers.map(({ code, rule }) => `  waived: ${code} (${rule})`),
      'Rules:',
      ...trace.map(({ rule, result, why }) => `  ${result.padEnd(8)}${rule}${why ? `: ${why}` : ''}`),
      ...(isExpected
        ? []
        : [`The witness expects ${expected.verdict}${expected.degraded ? ', degraded' : ''}.`]),
    ],
    json: { as_expected: isExpected, decision: verdict, degraded, reasons, waivers, rules: trace },
  };
}
