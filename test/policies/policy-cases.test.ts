import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { z } from 'zod';
import { ACTIVITY_PARTS } from '../../src/domain/activity/activity-parts.ts';
import { OUTCOMES } from '../../src/domain/evidence.ts';
import { LIST_PARTS } from '../../src/domain/lists/list-part.ts';
import type { CompiledPolicy } from '../../src/domain/policy/compile.ts';
import { evaluatePolicy } from '../../src/domain/policy/evaluate.ts';
import type { PolicyEvidence } from '../../src/domain/policy/evidence-row.ts';
import { requestSignalsSchema } from '../../src/domain/policy/request-signals.ts';
import { type StepUpSignals, stepUpSignalsSchema } from '../../src/domain/policy/step-up-signals.ts';
import { type TelemetryCustody, telemetrySignalsSchema } from '../../src/domain/policy/telemetry-signals.ts';
import { VERDICTS } from '../../src/domain/verdict.ts';
import { PROVIDERS } from '../../src/providers/registry.ts';
import { loadPolicyFile } from '../support/load-policy-file.ts';
import { onLists } from '../support/on-lists.ts';
import { readYaml } from '../support/read-yaml.ts';
import { seenActivity } from '../support/seen-activity.ts';
import { seenContradictions } from '../support/seen-contradictions.ts';

/** A request that carries both ids. */
const PRESENT = { telemetry_id_present: true, device_id_present: true, device_id_given: true };

/** Custody of a first use. */
const FIRST_USE = {
  uses: 1,
  age_seconds: 0,
  bound_elsewhere: false,
  omits_device: false,
  omits_account: false,
  expired: false,
};

const directory = new URL('../../policies/', import.meta.url);

const givenEvidenceSchema = z
  .strictObject(
    Object.fromEntries(
      PROVIDERS.map(({ id, signals }) => [
        id,
        z.strictObject({
          outcome: z.enum(OUTCOMES),
          suspect: z.boolean().optional(),
          signals: signals.partial().strict().optional(),
        }),
      ]),
    ),
  )
  .partial();
const givenCustodySchema = z.union([
  z.literal('unknown'),
  telemetrySignalsSchema
    .extend({ expired: z.union([z.boolean(), z.literal('lost')]) })
    .partial()
    .strict(),
]);
const givenStepUpSchema = z.union([z.literal('unknown'), stepUpSignalsSchema.partial().strict()]);
const givenPartSchema = z.union([
  z.enum(['none', 'unknown']),
  z.record(z.string(), z.union([z.number(), z.boolean(), z.literal('lost')])),
]);
const givenActivitySchema = z.union([
  z.literal('unknown'),
  z.partialRecord(z.enum(ACTIVITY_PARTS), givenPartSchema),
]);
const caseFileSchema = z.strictObject({
  policy: z.string(),
  evidence: givenEvidenceSchema,
  cases: z
    .array(
      z.strictObject({
        name: z.string(),
        given: givenEvidenceSchema.optional(),
        request: requestSignalsSchema.partial().strict().optional(),
        telemetry: givenCustodySchema.optional(),
        step_up: givenStepUpSchema.optional(),
        activity: givenActivitySchema.optional(),
        contradictions: z
          .union([
            z.literal('unknown'),
            z.record(z.string(), z.union([z.boolean(), z.enum(['unknown', 'none'])])),
          ])
          .optional(),
        lists: z.union([z.literal('unknown'), z.record(z.string(), z.array(z.enum(LIST_PARTS)))]).optional(),
        decision: z.enum(VERDICTS),
        degraded: z.boolean().default(false),
        reasons: z.array(z.string()).optional(),
      }),
    )
    .min(1),
});

interface GivenEvidence {
  readonly outcome: PolicyEvidence['outcome'];
  readonly signals?: object | undefined;
  readonly suspect?: boolean | undefined;
}

/**
 * Evidence as the service would have it: an outcome without a payload brings the signals that it always has.
 */
function toEvidence(id: string, given: GivenEvidence): PolicyEvidence {
  const { outcome, suspect = false } = given;
  const definition = PROVIDERS.find((provider) => provider.id === id);
  if (outcome === 'not_found') return { outcome, suspect, signals: definition?.notFoundSignals ?? null };
  if (outcome === 'unsupported') return { outcome, suspect, signals: { found: true, supported: false } };
  return { outcome, suspect, signals: (given.signals ?? null) as PolicyEvidence['signals'] };
}

function toCustody(
  given: z.output<typeof givenCustodySchema> | undefined,
  isPresent: boolean,
): TelemetryCustody {
  if (!isPresent) return 'none';
  if (given === 'unknown') return given;
  const { expired, ...signals } = { ...FIRST_USE, ...given };
  return telemetrySignalsSchema.parse(expired === 'lost' ? signals : { ...signals, expired });
}

/** A step-up of now, but for what is given; without any the subject has none. */
function toStepUp(given: z.output<typeof givenStepUpSchema> | undefined): StepUpSignals | 'none' | 'unknown' {
  if (given === undefined) return 'none';
  return given === 'unknown'
    ? given
    : stepUpSignalsSchema.parse({ age_seconds: 0, method: '', acr: '', ...given });
}

function toLists(
  policy: CompiledPolicy,
  lists: Readonly<Record<string, readonly string[]>> | 'unknown' | undefined,
) {
  return lists === 'unknown' ? { lists } : onLists(policy, lists);
}

const files = readdirSync(directory).filter((name) => name.endsWith('.yaml'));
const caseFiles = files.filter((name) => name.endsWith('.test.yaml'));
const policyFiles = files.filter((name) => !name.endsWith('.test.yaml'));

t.test('every policy has its cases beside it', async (t) => {
  t.ok(policyFiles.length >= 2);
  t.same(
    policyFiles.map((name) => name.replace('.yaml', '.test.yaml')),
    caseFiles,
  );
});

for (const name of caseFiles) {
  t.test(`${name} holds`, async (t) => {
    const {
      policy: policyFile,
      evidence,
      cases,
    } = caseFileSchema.parse(readYaml(readFileSync(new URL(name, directory), 'utf8')));
    t.equal(policyFile, name.replace('.test.yaml', '.yaml'), 'the cases are for the policy beside them');
    const policy: CompiledPolicy = loadPolicyFile(policyFile);
    const read = policy.providerIds.filter((_, place) => policy.neededMask & (1 << place));
    t.same(
      read.filter((id) => evidence[id] === undefined),
      [],
      'a provider that the policy reads is named; any other is not asked',
    );
    const spoken = new Set<string>();
    for (const { name: sentence, given, request, decision, degraded, reasons, ...facts } of cases) {
      const merged: Record<string, GivenEvidence | undefined> = { ...evidence, ...given };
      const pieces = policy.providerIds.map((id) => toEvidence(id, merged[id] ?? { outcome: 'skipped' }));
      const signals = requestSignalsSchema.parse({ ...PRESENT, ...request });
      const custody = toCustody(facts.telemetry, signals.telemetry_id_present);
      const stepUp = toStepUp(facts.step_up);
      const judgement = evaluatePolicy(policy, pieces, signals, {
        ...toLists(policy, facts.lists),
        ...seenActivity(policy, facts.activity),
        ...seenContradictions(facts.contradictions),
        telemetry: custody,
        step_up: stepUp,
      });
      t.equal(judgement.verdict, decision, sentence);
      t.equal(judgement.degraded, degraded, `${sentence}: degraded`);
      if (reasons) {
        t.same(
          judgement.reasons.map(({ code }) => code),
          reasons,
          `${sentence}: reasons`,
        );
      }
      for (const reason of judgement.reasons) if (reason.certain) spoken.add(reason.rule);
    }
    const silent = policy.rules.map(({ source }) => source.id).filter((id) => !spoken.has(id));
    t.same(silent, [], 'every rule is true in some case');
  });
}
