import type { DecisionRecord, LogRecord } from './decision-record.ts';

/** The lines of true and false rules are the same objects in every decision of a policy. */
const texts = new WeakMap<DecisionRecord['rules'][number], string>();

/** A record as one line of JSON, without its end. Half of it are rules, whose text is remembered. */
export function serialiseRecord(record: LogRecord): string {
  if (record.kind === 'gap') return JSON.stringify(record);
  const { rules, ...others } = record;
  const text = JSON.stringify(others);
  return `${text.slice(0, -1)},"rules":[${rules.map(serialiseRule).join(',')}]}`;
}

function serialiseRule(rule: DecisionRecord['rules'][number]): string {
  let text = texts.get(rule);
  if (text === undefined) {
    text = JSON.stringify(rule);
    texts.set(rule, text);
  }
  return text;
}
