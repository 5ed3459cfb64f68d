import { type CliCommand, CommandFailure, EXIT_CODES } from '../command.ts';
import { ENGINE_OPTION, FILE_OPTION, toFailure } from '../history/engine-option.ts';

/** Says why a kept decision, or one of a witness, came out as it did. */
export const explain: CliCommand = {
  name: 'explain',
  summary: 'Say why a decision came out as it did',
  details:
    'A decision by its id, from a log, a file or a service (the variable RISKGATE_API_KEY has its key, with scope read): every rule with its condition, what that read and what it contributed; the evidence; contradictions with both sides and the arithmetic; and what was not known, with the rules that could not be decided for it. With `--witness`, a file of `analyze` or `diff`, it is decided now, by the engine that services use.',
  arguments: [{ name: 'decision', description: 'the id of a decision', isOptional: true }],
  options: [
    ENGINE_OPTION,
    FILE_OPTION,
    { flags: '--url <url>', description: 'the service to ask in place of a log' },
    { flags: '--witness <file>', description: 'a witness, as JSON or YAML, in place of a decision' },
    {
      flags: '--policy <file>',
      description:
        'of a witness the policy, otherwise that of POLICY_FILE or policies/default.yaml; of a decision the policy that it was made with, where its text is not kept',
    },
  ],
  exits: {
    0: 'it is shown',
    1: 'the witness is not decided as it expects',
    2: 'there is no such decision, or the file is no export, or the witness is none',
  },
  examples: [
    'riskgate explain 019a1b2c-0000-7000-8000-000000000001',
    'riskgate explain 019a1b2c-0000-7000-8000-000000000001 --url https://riskgate.internal',
    'riskgate explain --witness witness.json --policy policies/shop.yaml',
  ],
  run: async ({ args: [id], options }, context) => {
    const { witness, policy } = options;
    if ((id === undefined) === (typeof witness !== 'string'))
      throw new CommandFailure('usage', 'either the id of a decision or --witness', EXIT_CODES.usage);
    const { defaultPolicyPath, openPolicy } = await import('../policy/open-policy.ts');
    if (typeof witness === 'string') {
      const { explainWitness } = await import('../policy/explain-witness.ts');
      return explainWitness(witness, typeof policy === 'string' ? policy : defaultPolicyPath(context.env));
    }
    const { findDecision } = await import('../history/find-decision.ts');
    const { showDecision } = await import('../history/show-decision.ts');
    const text = typeof policy === 'string' ? openPolicy(policy, false).text : null;
    try {
      return showDecision(await findDecision(String(id), options, context, text));
    } catch (error) {
      throw toFailure(error);
    }
  },
};
