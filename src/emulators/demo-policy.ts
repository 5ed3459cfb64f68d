import { readFileSync } from 'node:fs';

const DEFAULT = new URL('../../policies/default.yaml', import.meta.url);

/** The default policy, for which an account is old after a minute: nobody watches a demo for 30 days. */
export function toDemoPolicy(): string {
  const age = /(?<before>account_settled_after:\n +type: duration\n +value: )30d/;
  return readFileSync(DEFAULT, 'utf8').replace(age, '$<before>60s');
}
