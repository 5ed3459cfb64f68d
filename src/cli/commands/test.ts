import { type CliCommand, EXIT_CODES } from '../command.ts';

/** Runs the cases of policies. */
export const test: CliCommand = {
  name: 'test',
  summary: 'Run the cases of policies',
  details:
    'Cases are data in a file beside the policy, `shop.test.yaml` beside `shop.yaml`, and are decided by the engine that services use. What fails is shown as a diff of decision and reasons, with what the rules behind them came to. The format is in docs/policy.md.',
  arguments: [
    {
      name: 'file',
      description:
        'a policy, or its cases; otherwise all `*.test.yaml` in the folder of POLICY_FILE, or in policies/',
      isOptional: true,
      isMany: true,
    },
  ],
  options: [
    { flags: '--junit <file>', description: 'write a report in the XML of JUnit there' },
    { flags: '--coverage', description: 'say what of the rules and their conditions no case reaches' },
    {
      flags: '--coverage-min <percent>',
      description: 'the same, and fail where rules or branches are covered less',
    },
    { flags: '--mutate', description: 'change the policy in many small ways, and show what no case notices' },
    {
      flags: '--mutate-min <percent>',
      description: 'the same, and fail where fewer of the mutants are noticed',
    },
  ],
  exits: {
    0: 'all cases pass',
    1: 'one fails, or less is covered, or noticed, than was asked for',
    2: 'a file cannot be read, or has mistakes: nothing is run',
  },
  examples: [
    'riskgate test',
    'riskgate test policies/shop.yaml --junit report.xml',
    'riskgate test policies/shop.yaml --coverage-min 90',
  ],
  run: async ({ args, options }, { env, stdout }) => {
    const { findCases } = await import('../policy/find-cases.ts');
    const { openCases } = await import('../policy/open-cases.ts');
    const { describeRun, runCases, toRunJson, toTextLines } = await import('../policy/describe-cases.ts');
    const { toJunit } = await import('../policy/to-junit.ts');
    const { writeTextFile } = await import('../policy/write-text-file.ts');
    const { reportCoverage } = await import('../policy/describe-coverage.ts');
    const { reportMutants } = await import('../policy/report-mutants.ts');
    const files = openCases(findCases(args, env)).map(runCases);
    const coverage = reportCoverage(files, options);
    const mutation = reportMutants(files, options);
    const count = files.reduce((sum, { cases }) => sum + cases.length, 0);
    const failed = files.reduce((sum, one) => sum + one.failed, 0);
    if (typeof options['junit'] === 'string') {
      const suites = files.map(({ opened: { path }, cases }) => ({
        file: path,
        cases: cases.map(({ case: { name, line }, diff }) => ({
          name,
          line,
          failure: diff.length === 0 ? null : toTextLines(diff),
        })),
      }));
      writeTextFile(options['junit'], toJunit(suites));
    }
    const isBad = failed > 0 || coverage.isBad || mutation.isBad;
    return {
      exitCode: isBad ? EXIT_CODES.findings : EXIT_CODES.ok,
      lines: [...files.flatMap((file) => describeRun(file, stdout)), ...coverage.lines, ...mutation.lines],
      json: {
        ok: !isBad,
        passed: count - failed,
        failed,
        files: files.map((file, place) => ({
          ...toRunJson(file),
          ...coverage.json[place],
          ...mutation.json[place],
        })),
      },
    };
  },
};
