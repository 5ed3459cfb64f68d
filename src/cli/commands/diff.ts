import { type CliCommand, EXIT_CODES } from '../command.ts';

/** The classes that are listed; all of them are in the JSON. */
const CLASSES_LISTED = 10;

/** Says how two policies differ over all evidence that the rules of either can tell apart. */
export const diff: CliCommand = {
  name: 'diff',
  summary: 'Say for which evidence two policies decide differently',
  details:
    'Over all evidence that the rules of either can tell apart, without traffic: how many combinations go from each verdict to each, the largest classes with the rules that decide them, and for each class evidence that shows it, which both policies have judged so. How many combinations a class has says nothing of how often it happens. Answers are those before a step-up satisfies a CHALLENGE.',
  arguments: [
    { name: 'before', description: 'a policy' },
    { name: 'after', description: 'the policy to compare with it' },
  ],
  options: [
    { flags: '--format <format>', description: 'how the report is written', choices: ['text', 'markdown'] },
    {
      flags: '--title <title>',
      description: 'the heading of a report in Markdown; otherwise the file after',
    },
    { flags: '--witness-dir <directory>', description: 'write the evidence that shows each class there' },
  ],
  exits: {
    0: 'no evidence is judged differently',
    1: 'some is',
    2: 'a file is no policy',
    3: 'they are too large to compare',
  },
  examples: [
    'riskgate diff policies/default.yaml policies/strict.yaml',
    'riskgate diff before.yaml policies/shop.yaml --format markdown >> "$GITHUB_STEP_SUMMARY"',
  ],
  run: async ({ args: [before = '', after = ''], options }) => {
    const { requirePolicy } = await import('../policy/require-policy.ts');
    const { toCount } = await import('../policy/to-count.ts');
    const { toTableLines } = await import('../policy/to-table-lines.ts');
    const { writeWitnesses } = await import('../policy/write-witnesses.ts');
    const { toSpaceProviders } = await import('../../app/space-providers.ts');
    const { diffPolicies } = await import('../../domain/policy-analysis/diff-policies.ts');
    const { PROVIDERS } = await import('../../providers/registry.ts');
    const [left, right] = [requirePolicy(before), requirePolicy(after)];
    const { toDiffMarkdown } = await import('../policy/to-diff-markdown.ts');
    const found = diffPolicies(left, right, toSpaceProviders(PROVIDERS));
    const { classes, table, limits, tellsRules } = found;
    const paths = writeWitnesses(
      options['witnessDir'],
      (classes ?? []).map(({ from, to, witness }) => ({ name: `${from}-${to}`.toLowerCase(), witness })),
    );
    const listed = (classes ?? []).slice(0, CLASSES_LISTED).map((one, place) => ({
      ...one,
      rules: tellsRules ? `${one.fromRule ?? 'otherwise'} → ${one.toRule ?? 'otherwise'}` : null,
      isDoubtful: one.witness === undefined,
      path: paths[place] ?? null,
    }));
    const texts = listed.map(({ from, to, combinations, rules, isDoubtful, path }) => {
      const doubt = isDoubtful ? ' (may be: no evidence could be given that shows it)' : '';
      const where = path === null ? '' : `, see ${path}`;
      return `${from} → ${to}  ${toCount(combinations)}${rules === null ? '' : `  ${rules}`}${doubt}${where}`;
    });
    const isSame = classes?.length === 0;
    const text =
      classes === null
        ? ['A bound was reached before they were compared.']
        : [
            ...toTableLines(table, toCount),
            ...texts,
            ...(classes.length > listed.length
              ? [`and ${classes.length - listed.length} smaller classes`]
              : []),
            ...limits.map((limit) => `not told apart: ${limit}`),
            isSame
              ? 'No evidence is judged differently.'
              : `${classes.length} classes of evidence are judged differently.`,
          ];
    return {
      exitCode: classes === null ? EXIT_CODES.failure : isSame ? EXIT_CODES.ok : EXIT_CODES.findings,
      lines:
        options['format'] === 'markdown'
          ? toDiffMarkdown(String(options['title'] ?? after), found, listed)
          : text,
      json: {
        before: { policy: left.id, hash: left.hash },
        after: { policy: right.id, hash: right.hash },
        table,
        classes,
        limits,
      },
    };
  },
};
