import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

interface Rule {
  readonly id: string;
  readonly when: string;
  readonly step_up?: string;
}

interface Policy extends Readonly<Record<string, unknown>> {
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly rules: readonly Rule[];
}

const DEFAULT = new URL('../policies/default.yaml', import.meta.url);

function readDefaultPolicy(from: URL | string = DEFAULT): Policy {
  return parse(readFileSync(from, 'utf8')) as Policy;
}

/** Writes the rules of the default policy repeated up to so many. */
export function writeRepeatedPolicy(directory: string, count: number): string {
  const policy = readDefaultPolicy();
  const rules = Array.from({ length: count }, (_, place) => {
    const rule = policy.rules[place % policy.rules.length];
    return { ...rule, id: `${rule?.id}-${place}` };
  });
  return write(directory, `policy-${count}.yaml`, { ...policy, rules });
}

/** The default policy with one rule that blocks where it challenged. */
export function toStricterPolicy(rule: string): string {
  const policy = readDefaultPolicy();
  const rules = policy.rules.map(({ step_up, ...one }) => {
    if (one.id === rule) return { ...one, verdict: 'BLOCK' };
    return step_up === undefined ? one : { ...one, step_up };
  });
  return JSON.stringify({ ...policy, rules });
}

/** Rules that a candidate has and the policy in force has not. */
const CHANGED_RULES = 3;

/** Writes a policy, the default one otherwise, so often with some rules changed: candidates as they are. */
export function writeCandidates(directory: string, count: number, from?: string): readonly string[] {
  const policy = readDefaultPolicy(from);
  return Array.from({ length: count }, (_, place) => {
    const id = `candidate-${place}`;
    const rules = policy.rules.map((rule, number) =>
      number < CHANGED_RULES ? { ...rule, reason: `CHANGED_${place}` } : rule,
    );
    return write(directory, `${id}.yaml`, { ...policy, policy: id, rules });
  });
}

/** Conditions that read six signals of three parts, none of which is ever true. */
export const SIX_SIGNALS: readonly string[] = [
  'activity.device.accounts_1h > 60',
  'activity.device.blocks_24h > 1000000000',
  'activity.account.devices_24h > 60',
  'activity.account.challenges_failed_1h > 1000000000',
  'activity.account.known_device && activity.account.devices_24h > 60',
  'activity.ip.not_found_10m > 1000000000',
];

/** Writes the default policy with these rules in place of those that read activity. */
export function writeActivityPolicy(directory: string, conditions: readonly string[]): string {
  const added = conditions.map((when, place) => ({
    id: `activity-${place}`,
    when,
    verdict: 'CHALLENGE',
    reason: 'ACTIVITY',
  }));
  const file = `policy-activity-${conditions.length}.yaml`;
  return writeWithout(directory, file, { variable: 'activity', added });
}

/** Writes the default policy without the rules that read contradictions. */
export function writeContradictionFreePolicy(directory: string): string {
  return writeWithout(directory, 'policy-no-contradictions.yaml', { variable: 'contradictions', added: [] });
}

/** The default policy with these rules in place of those that read a variable. */
function writeWithout(
  directory: string,
  file: string,
  { variable, added }: { readonly variable: string; readonly added: readonly Rule[] },
): string {
  const policy = readDefaultPolicy();
  const rules = [...policy.rules.filter(({ when }) => !when.includes(`${variable}.`)), ...added];
  const read = JSON.stringify(rules);
  const parameters = Object.fromEntries(
    Object.entries(policy.parameters).filter(([name]) => read.includes(`params.${name}`)),
  );
  return write(directory, file, { ...policy, parameters, rules });
}

function write(directory: string, name: string, policy: object): string {
  const file = join(directory, name);
  writeFileSync(file, JSON.stringify(policy));
  return file;
}
