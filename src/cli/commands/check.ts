import { type CliCommand, EXIT_CODES } from '../command.ts';

/** Says what is wrong with a policy file. */
export const check: CliCommand = {
  name: 'check',
  summary: 'Say what is wrong with a policy file',
  details:
    'Every mistake with its line, its column and the id of its rule: a name that there is not and the one that was meant, types that do not fit, a list that mixes types, a condition or a part of one that can never be evaluated. A service refuses a file with the same mistakes, at its start and when it changes. Warnings are what it takes and what is most likely not meant: a condition that two rules have, and one that reads nothing.',
  arguments: [
    {
      name: 'file',
      description: 'the policy; otherwise that of POLICY_FILE, or policies/default.yaml',
      isOptional: true,
    },
  ],
  exits: { 0: 'the policy can be used, with warnings perhaps', 1: 'it has mistakes' },
  examples: ['riskgate check policies/shop.yaml'],
  run: async ({ args: [file] }, { env }) => {
    const { describeWarnings } = await import('../../application/load-policy.ts');
    const { parseYaml } = await import('../../platform/yaml-document.ts');
    const { defaultPolicyPath, openPolicy } = await import('../policy/open-policy.ts');
    const { toFinding, toJson } = await import('../policy/finding.ts');
    const path = file ?? defaultPolicyPath(env);
    const { policy, text, mistakes } = openPolicy(path);
    const warnings =
      policy === null ? [] : describeWarnings(policy, text, parseYaml).map((each) => toFinding(path, each));
    const rules = policy?.rules.length ?? 0;
    const count = mistakes.length;
    return {
      exitCode: policy === null ? EXIT_CODES.findings : EXIT_CODES.ok,
      lines: [
        ...mistakes.map((mistake) => mistake.text),
        ...warnings.map((warning) => `warning: ${warning.text}`),
        policy === null
          ? `${path}: ${count} ${count === 1 ? 'mistake' : 'mistakes'}. A service would refuse it.`
          : `${path}: the policy "${policy.id}" with ${rules} ${rules === 1 ? 'rule' : 'rules'} is good.`,
      ],
      json: {
        ok: policy !== null,
        file: path,
        policy: policy === null ? null : { id: policy.id, hash: policy.hash, rules },
        mistakes: mistakes.map(toJson),
        warnings: warnings.map(toJson),
      },
    };
  },
};
