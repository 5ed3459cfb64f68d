import { z } from 'zod';
import type { InertRule } from '../../application/describe-policy.ts';
import type { CompiledPolicy } from '../../domain/policy/compile.ts';
import { policyDocumentSchema } from '../../domain/policy/document.ts';

/** The answer of GET /v1/policy. */
export const policySchema = z.object({
  id: z.string(),
  hash: z
    .string()
    .describe('`sha256:` and the hex digest of the file: what `policy.hash` in a decision refers to.'),
  document: policyDocumentSchema.describe('The policy as it is in force, defaults filled in.'),
  inert: z
    .array(
      z.object({
        rule: z.string(),
        kind: z
          .enum(['inert', 'partial'])
          .describe(
            '`partial`: the rule can still be true through what it reads elsewhere, and is unknown otherwise.',
          ),
        providers: z.array(z.string()).describe('The disabled providers it reads.'),
        why: z.string(),
      }),
    )
    .describe('Rules that a disabled provider keeps from speaking.'),
});

/** A policy as callers read it. */
export function toPolicyBody(
  policy: CompiledPolicy,
  inert: readonly InertRule[],
): z.output<typeof policySchema> {
  return {
    id: policy.id,
    hash: policy.hash,
    document: policy.document,
    inert: inert.map(({ rule, kind, providers }) => ({
      rule,
      kind,
      providers: [...providers],
      why: `reads ${providers.join(' and ')}, which ${providers.length === 1 ? 'is' : 'are'} disabled`,
    })),
  };
}
