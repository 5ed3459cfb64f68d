import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadPolicy } from '../../src/application/load-policy.ts';
import type { DecisionRecord } from '../../src/domain/decision-log/decision-record.ts';
import { readRecordedInput } from '../../src/domain/decision-log/recorded-input.ts';
import type { CompiledPolicy } from '../../src/domain/policy/compile.ts';
import { evaluatePolicy } from '../../src/domain/policy/evaluate.ts';
import { compileLinearPattern } from '../../src/platform/linear-pattern.ts';
import { parseYaml } from '../../src/platform/yaml-document.ts';
import { PROVIDERS } from '../../src/providers/registry.ts';
import { addressScore } from '../support/scores/index.ts';
import { ROOT } from '../support/start-program.ts';
import type { Scenario } from './scenarios.ts';
import type { Transcript } from './transcribe.ts';

/** What came of judging records again by the texts of their policies. */
interface JudgedAgain {
  /** Records whose verdict, reasons, waivers and trace were the same, byte for byte. */
  readonly same: number;
  /** The first of the others, and what was found instead. */
  readonly others: readonly string[];
  /** How many could not be judged for want of a signal, by its name. */
  readonly notRecorded: Readonly<Record<string, number>>;
}

/** Judges every record of these scenarios again, from its text alone. */
export function judgeAgain(scenarios: readonly Scenario[], transcripts: readonly Transcript[]): JudgedAgain {
  const others: string[] = [];
  const notRecorded: Record<string, number> = {};
  let same = 0;
  for (const scenario of scenarios) {
    const policy = policyOf(scenario);
    for (const { group, records } of transcripts) {
      if (group.split('/')[0] !== scenario.name) continue;
      for (const line of records) {
        const record = JSON.parse(line) as DecisionRecord;
        // Ids that can be read in two ways are refused before any policy.
        if (record.rules.length === 0) continue;
        const input = readRecordedInput(policy, record);
        for (const name of input.ok ? [] : input.mistakes) notRecorded[name] = (notRecorded[name] ?? 0) + 1;
        if (!input.ok) continue;
        const { evidence, request, facts } = input.value;
        const { verdict, ...judged } = evaluatePolicy(policy, evidence, request, facts);
        const found = [verdict, judged.reasons, judged.waivers, judged.degraded, judged.trace, policy.hash];
        const { decision, reasons, waivers, degraded, rules } = record;
        const told = [decision, reasons, waivers, degraded, rules, record.policy.hash];
        if (JSON.stringify(found) === JSON.stringify(told)) same += 1;
        else others.push(`${line}\n${JSON.stringify(found)}`);
      }
    }
  }
  return { same, others, notRecorded };
}

function policyOf({ service: { policy, hasScores = false } }: Scenario): CompiledPolicy {
  const text =
    'text' in policy ? policy.text : readFileSync(join(ROOT, 'policies', `${policy.file}.yaml`), 'utf8');
  const result = loadPolicy(text, {
    providers: hasScores ? [...PROVIDERS, addressScore] : PROVIDERS,
    parse: parseYaml,
    compilePattern: compileLinearPattern,
    sha256: (source) => hash('sha256', source),
  });
  if (!result.ok) throw new Error(result.mistakes.join('\n'));
  return result.value;
}
