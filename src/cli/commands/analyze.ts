import { type CliCommand, EXIT_CODES } from '../command.ts';

/** Says what a policy does with all evidence that its rules can tell apart. */
export const analyze: CliCommand = {
  name: 'analyze',
  summary: 'Say what a policy does with all evidence that its rules can tell apart',
  details:
    'Dead and shadowed rules, verdicts that nothing comes to, ALLOW while evidence is lost, what losing it makes milder, and the fewest signals of the client that choose ALLOW, up to three: each with evidence that shows it, which the engine has decided so. What cannot be enumerated is over-approximated and listed under "not told apart". Answers are those before a step-up satisfies a CHALLENGE.',
  arguments: [{ name: 'file', description: 'the policy' }],
  options: [
    { flags: '--witness-dir <directory>', description: 'write the evidence that shows each finding there' },
    {
      flags: '--generate-tests <file>',
      description:
        'write cases there for the ways to decide that no case beside the policy is about; the file must not exist',
    },
  ],
  exits: {
    0: 'no finding is an error; there may be warnings and notes',
    1: 'a finding is an error: a dead rule, or an assertion under `never` that does not hold',
    2: 'the file is no policy, or there is a file where cases were to be written',
  },
  examples: [
    'riskgate analyze policies/default.yaml',
    'riskgate analyze --json my.yaml | jq .findings',
    'riskgate analyze my.yaml --generate-tests more.test.yaml',
  ],
  run: async ({ args: [file = ''], options }) => {
    const { requirePolicy } = await import('../policy/require-policy.ts');
    const { toSpaceProviders } = await import('../../app/space-providers.ts');
    const { PROVIDERS } = await import('../../providers/registry.ts');
    const { toCount } = await import('../policy/to-count.ts');
    const { generateTests } = await import('../policy/generate-tests.ts');
    const { writeWitnesses } = await import('../policy/write-witnesses.ts');
    const { checkNever } = await import('../../domain/policy-analysis/check-never.ts');
    const { toFinding } = await import('../../domain/policy-analysis/finding.ts');
    const { countriesOfTimeZone } = await import('../../app/time-zone-countries.ts');
    const { compileLinearPattern } = await import('../../platform/linear-pattern.ts');
    const { analyzePolicy } = await import('../../domain/policy-analysis/analyze-policy.ts');
    const policy = requirePolicy(file);
    const spaceProviders = toSpaceProviders(PROVIDERS);
    const analysis = analyzePolicy(policy, spaceProviders);
    const { verdicts, limits, combinations, isComplete } = analysis;
    const never = checkNever(policy, spaceProviders, {
      compilePattern: compileLinearPattern,
      countriesOfTimeZone,
    });
    const findings = [
      ...never.findings,
      ...never.mistakes.map(({ message }) => toFinding('never_violated', message)),
      ...analysis.findings,
    ];
    const paths = writeWitnesses(
      options['witnessDir'],
      findings.map(({ kind, witness }) => ({ name: kind.replaceAll('_', '-'), witness })),
    );
    const generated = generateTests(file, options['generateTests']);
    const isBad = findings.some(({ severity }) => severity === 'error');
    return {
      exitCode: isBad ? EXIT_CODES.findings : EXIT_CODES.ok,
      lines: [
        `${policy.id}: ${policy.rules.length} rules, ${toCount(combinations)} combinations of what they read`,
        ...verdicts.map(
          (one) => `  ${one.verdict.padEnd(9)} ${toCount(one.combinations)} of those that can be`,
        ),
        ...findings.map(({ severity, kind, message, isUnproven }, place) => {
          const doubt = isUnproven === true ? ' (may be: no evidence could be given that shows it)' : '';
          return `${severity} ${kind}: ${message}${doubt}${paths[place] ? `, see ${paths[place]}` : ''}`;
        }),
        ...limits.map((limit) => `not told apart: ${limit}`),
        isComplete
          ? 'Everything was answered.'
          : 'A bound was reached: what was not answered is listed above.',
        ...(generated?.lines ?? []),
      ],
      json: {
        policy: policy.id,
        hash: policy.hash,
        combinations,
        verdicts,
        findings,
        limits,
        complete: isComplete,
        ...(generated && { generated_tests: generated.json }),
      },
    };
  },
};
