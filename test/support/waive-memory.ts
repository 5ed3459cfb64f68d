import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const DEFAULT = join(import.meta.dirname, '../../policies/default.yaml');
/** Where one rule ends and the next begins. */
const BETWEEN_RULES = '\n\n  - id: ';
const READS_MEMORY = /^ {4,6}(when: |).*\b(activity|contradictions)\./m;

/**
 * The default policy with activity waived where it is unknown, as a file in this directory for POLICY_FILE.
 * After a Redis that came back empty it is unknown for an hour and longer, and a test could see neither that
 * everything else is known again, nor that somebody is let in.
 */
export function writeWaivingPolicy(directory: string): string {
  const [head = '', ...rules] = readFileSync(DEFAULT, 'utf8').split(BETWEEN_RULES);
  const waiving = rules.map((rule) =>
    READS_MEMORY.test(rule)
      ? rule.replace(/\n {4}reason: .*/, (reason) => `${reason}\n    on_unknown: IGNORE`)
      : rule,
  );
  if (waiving.join() === rules.join()) throw new Error('no rule reads activity');
  const file = join(directory, 'waiving.yaml');
  writeFileSync(file, [head, ...waiving].join(BETWEEN_RULES));
  return file;
}
