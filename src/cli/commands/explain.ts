import { type CliCommand, CommandFailure, EXIT_CODES } from '../command.ts';

const WITNESS_BYTES_MAX = 1_048_576;

/** Decides a witness by a policy, and says why. */
export const explain: CliCommand = {
  name: 'explain',
  summary: 'Decide a witness by a policy, and say why',
  details:
    'A witness is a file of `analyze` or `diff`: all that a policy is given for one decision. It is decided by the engine that services use; every rule is shown with its result.',
  options: [
    { flags: '--witness <file>', description: 'the witness, as JSON or YAML', isRequired: true },
    {
      flags: '--policy <file>',
      description: 'the policy; otherwise that of POLICY_FILE, or policies/default.yaml',
    },
  ],
  exits: { 1: 'it is not decided as the witness expects' },
  examples: ['riskgate explain --witness witness.json --policy policies/shop.yaml'],
  run: async ({ options: { witness: file, policy: given } }, { env }) => {
    const { judgeWitness, witnessSchema } = await import('../../domain/policy-analysis/witness.ts');
    const { parseYaml } = await import('../../platform/yaml-document.ts');
    const { defaultPolicyPath, readFile } = await import('../policy/open-policy.ts');
    const { requirePolicy } = await import('../policy/require-policy.ts');
    const { plainIssue } = await import('../../domain/policy/plain-issue.ts');
    const path = String(file);
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
    const policy = requirePolicy(typeof given === 'string' ? given : defaultPolicyPath(env));
    const { verdict, degraded, reasons, waivers, trace } = judgeWitness(policy, parsed.data);
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
  },
};
