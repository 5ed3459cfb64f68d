import { hash as digest } from 'node:crypto';
import { type RuleText, ruleTextsOf } from '../../domain/backtest/explain-record.ts';
import { type DecisionRecord, logRecordSchema } from '../../domain/decision-log/decision-record.ts';
import { type Label, labelInForce } from '../../domain/decision-log/outcome-label.ts';
import { policyDocumentSchema } from '../../domain/policy/document.ts';
import { readDecisionId } from '../../http/routes/decisions.ts';
import { parseYaml } from '../../platform/yaml-document.ts';
import { askService, toRefusal } from '../ask-service.ts';
import { type CliContext, CommandFailure, EXIT_CODES } from '../command.ts';
import { findEngineOf } from './engine-option.ts';
import { openLogReader } from './open-log-reader.ts';
import { openHistory } from './read-history.ts';

/** A decision that was found, with the rules of its policy where they are known. */
export interface FoundDecision {
  readonly record: DecisionRecord;
  /** The label in force; null without one. */
  readonly label: Label | null;
  /** By the ids of rules; empty where the policy is not known. */
  readonly rules: ReadonlyMap<string, RuleText>;
}

type Options = Readonly<Record<string, string | boolean | undefined>>;

/**
 * Finds a decision in what the options name: a service, a file or a log. `policyText` is a policy beside it, for
 * decisions that were made with that. Rejects where there is no such decision.
 */
export async function findDecision(
  given: string,
  options: Options,
  context: CliContext,
  policyText: string | null,
): Promise<FoundDecision> {
  const { url, file } = options;
  const id = readDecisionId(given);
  if (id === null) throw unknownDecision(given);
  if (typeof url === 'string') return askForDecision(id, url, context.env);
  const find = typeof file === 'string' ? findInFile : findInLog;
  const decision = await find(id, options, context);
  if (decision === null) throw unknownDecision(id);
  const texts = [policyText, decision.text].filter((text) => text !== null);
  const text = texts.find((one) => `sha256:${digest('sha256', one)}` === decision.record.policy.hash);
  return { ...decision, rules: text === undefined ? new Map() : readRules(text) };
}

interface Kept extends Omit<FoundDecision, 'rules'> {
  /** Of its policy; null where it is not kept. */
  readonly text: string | null;
}

async function findInLog(id: string, options: Options, context: CliContext): Promise<Kept | null> {
  const engine = await findEngineOf(context, options['engine']);
  if (engine.definition.lineFile !== undefined) return findInFile(id, options, context);
  const { reader, policies, close } = await openLogReader(engine);
  try {
    const found = await reader.find(id);
    if (found === null) return null;
    const text = (await policies?.find(found.record.policy.hash)) ?? null;
    return { record: found.record, label: labelInForce(found.labels), text };
  } finally {
    await close();
  }
}

async function findInFile(id: string, options: Options, context: CliContext): Promise<Kept | null> {
  const { pages, badLines, close } = await openHistory(options, {}, context);
  try {
    for await (const page of pages)
      for (const { record, labels } of page)
        if (record.kind === 'decision' && record.decision_id === id)
          return { record, label: labelInForce(labels), text: null };
    if (badLines() > 0) throw unknownDecision(id, `, but ${badLines()} lines are no records`);
    return null;
  } finally {
    await close();
  }
}

/** Rules can be read also where this version would refuse the policy. */
function readRules(text: string): ReadonlyMap<string, RuleText> {
  const document = policyDocumentSchema.safeParse(parseYaml(text).value);
  return document.success ? ruleTextsOf(document.data) : new Map();
}

function unknownDecision(id: string, though = ''): CommandFailure {
  return new CommandFailure('unknown_decision', `there is no decision ${id}${though}`, EXIT_CODES.usage);
}

async function askForDecision(id: string, url: string, env: CliContext['env']): Promise<FoundDecision> {
  const path = `/v1/decisions/${encodeURIComponent(id)}`;
  const response = await askService({ url, path, scope: 'read' }, env);
  const { origin } = new URL(url);
  if (response.status === 404) throw unknownDecision(id);
  if (response.status !== 200) throw await toRefusal(response);
  const told: unknown = await response.json().catch(() => null);
  const record = logRecordSchema.safeParse(told);
  if (!record.success || record.data.kind !== 'decision')
    throw new CommandFailure('refused', `${origin} answers with what is no decision`);
  const { rules = [], label = null } = told as {
    readonly rules?: readonly ServedRule[];
    readonly label?: FoundDecision['label'];
  };
  const texts = rules.flatMap((one): [string, RuleText][] => {
    const { rule, condition, description, verdict, parameters } = one;
    return condition === null || verdict === null
      ? []
      : [[rule, { condition, description, verdict, parameters }]];
  });
  return { record: record.data, label, rules: new Map(texts) };
}

/** As GET /v1/decisions/{decision_id} answers. */
interface ServedRule extends Omit<RuleText, 'condition' | 'verdict'> {
  readonly rule: string;
  readonly condition: string | null;
  readonly verdict: string | null;
}
