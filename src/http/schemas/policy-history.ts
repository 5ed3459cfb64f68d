import { z } from 'zod';
import { POLICY_STATES, type PolicyStatus } from '../../application/policy-in-force/policy-in-force.ts';
import { POLICY_PLACES } from '../../application/policy-in-force/policy-store.ts';
import { policyDocumentSchema } from '../../domain/policy/document.ts';
import { POLICY_CAUSES, type PolicyEntry } from '../../domain/policy-in-force/policy-record.ts';
import { toRfc3339 } from '../../platform/rfc3339.ts';
import { toJsonSchema } from './json-schema.ts';

const time = z.string().meta({ format: 'date-time' });
/** The hash of a policy. */
export const HASH = z.string().regex(/^sha256:[0-9a-f]{64}$/);

/** The path parameters of what is about one policy by its hash. */
export const HASH_PARAMS = toJsonSchema(
  z.object({ hash: HASH.describe('`sha256:` and the hex digest of the text.') }),
  'input',
);

/** How a policy came into force. */
const policyEntrySchema = z.object({
  id: z.string(),
  hash: z.string(),
  since: time,
  why: z
    .enum(POLICY_CAUSES)
    .describe(
      '`file`: a replica took it from its file. `promoted`, `restored`, `rolled_back`: it was put in force for all replicas, over their files. `released`: the files of replicas counted again, of which this is the one of the replica that was asked.',
    ),
  by: z.string().nullable().describe('The id of the API key; null for a file, and for riskgate itself.'),
  previous_hash: z.string().nullable().describe('The hash of what was in force before.'),
});

const KEPT_IN = z
  .enum(POLICY_PLACES)
  .describe('`redis`: for all replicas. `process`: for this one, until it ends.');

/** The answer of GET /v1/policies/history. */
export const policyHistorySchema = z.object({
  policies: z
    .array(policyEntrySchema.extend({ until: time.nullable().describe('Null for the latest.') }))
    .describe('The latest 50 that came into force, newest first.'),
  kept_in: KEPT_IN,
});

/** What is in force, as GET /v1/policies tells it. */
export const inForceSchema = z.object({
  id: z.string(),
  hash: z.string(),
  state: z.enum(POLICY_STATES).describe('As `policy_in_force.state` of /readyz.'),
  put: policyEntrySchema.nullable().describe('What was put in force over the files; null where they count.'),
  file: z.object({
    id: z.string(),
    hash: z.string(),
    differs: z.boolean().describe('It is not in force.'),
  }),
});

/** The answer of GET /v1/policies/{hash}. */
export const keptPolicySchema = z.object({
  id: z.string(),
  hash: z.string(),
  text: z.string(),
  in_force: z.boolean(),
  document: policyDocumentSchema
    .nullable()
    .describe('The policy, defaults filled in; null where this version cannot read it.'),
  history: z.array(policyEntrySchema).describe('Each time it came into force, as far as that is remembered.'),
});

/** The answer of what changes what is in force. */
export const policyPutSchema = z.object({ in_force: policyEntrySchema });

/** How a policy came into force, as callers read it. */
export function toEntryBody(entry: PolicyEntry): z.output<typeof policyEntrySchema> {
  const { id, hash, sinceMs, why, by, previousHash } = entry;
  return { id, hash, since: toRfc3339(sinceMs), why, by, previous_hash: previousHash };
}

/** The history, each entry with its end. */
export function toHistoryBody(
  history: readonly PolicyEntry[],
): z.output<typeof policyHistorySchema>['policies'] {
  return history.map((entry, place) => {
    const next = history[place - 1];
    return { ...toEntryBody(entry), until: next === undefined ? null : toRfc3339(next.sinceMs) };
  });
}

/** What is in force, as callers read it. */
export function toInForceBody(
  { put, state, fileDiffers }: PolicyStatus,
  policy: { readonly id: string; readonly hash: string },
  file: { readonly id: string; readonly hash: string },
): z.output<typeof inForceSchema> {
  return {
    id: policy.id,
    hash: policy.hash,
    state,
    put: put && toEntryBody(put),
    file: { id: file.id, hash: file.hash, differs: fileDiffers },
  };
}
