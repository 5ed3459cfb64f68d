import type { DecisionRecord, EvidenceRecord, LogRecord } from './decision-record.ts';

/** The lines of true and false rules are the same objects in every decision of a policy. */
const ruleTexts = new WeakMap<DecisionRecord['rules'][number], string>();

/** A record as one line of JSON, without its end. Written out field by field, which takes a third of what JSON.stringify does for a record, and that is most of what a log costs. */
export function serialiseRecord(record: LogRecord): string {
  if (record.kind === 'gap') return JSON.stringify(record);
  const { subject, custody, policy, request_id: requestId } = record;
  const hashKey = subject.hash_key === undefined ? '' : `"hash_key":${quote(subject.hash_key)},`;
  let text = `{"version":${record.version},"kind":"decision","decision_id":${quote(record.decision_id)},"decided_at":"${record.decided_at}","decision":"${record.decision}","degraded":${record.degraded},"reasons":${listOf(record.reasons)},"waivers":${listOf(record.waivers)},"caller":${quote(record.caller)},"entry_point":${quote(record.entry_point)},"action":${quote(record.action)},"request_id":${quote(requestId)},"subject":{${hashKey}"telemetry":${quote(subject.telemetry)},"devices":${listOf(subject.devices)},"account":${quote(subject.account)}},"providers":{`;
  let separator = '';
  for (const provider in record.providers) {
    const use = record.providers[provider];
    if (use === undefined) continue;
    text += `${separator}"${provider}":${serialiseUse(use)}`;
    separator = ',';
  }
  text += `},"custody":{"result":"${custody.result}","signals":${objectOf(custody.signals)}},"policy":{"id":"${policy.id}","hash":"${policy.hash}"},"engine":${quote(record.engine)},"latency_ms":${numberOf(record.latency_ms)},"rules":[`;
  separator = '';
  for (const rule of record.rules) {
    text += separator + serialiseRule(rule);
    separator = ',';
  }
  return `${text}]}`;
}

function serialiseUse(use: EvidenceRecord): string {
  return `{"outcome":"${use.outcome}","cache":"${use.cache}","cache_level":${quote(use.cache_level)},"latency_ms":${numberOf(use.latency_ms)},"age_ms":${numberOf(use.age_ms)},"request_id":${quote(use.request_id)},"suspect":${use.suspect},"signals":${objectOf(use.signals)}}`;
}

function serialiseRule(rule: DecisionRecord['rules'][number]): string {
  let text = ruleTexts.get(rule);
  if (text === undefined) {
    text = JSON.stringify(rule);
    ruleTexts.set(rule, text);
  }
  return text;
}

/** Ids and hashes need no escapes; what a caller or a provider chose may. */
const PLAIN = /^[\w.:/+=@~-]*$/;

function quote(text: string | null): string {
  if (text === null) return 'null';
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

function listOf(items: readonly unknown[]): string {
  return items.length === 0 ? '[]' : JSON.stringify(items);
}

function objectOf(value: object | null): string {
  return value === null ? 'null' : JSON.stringify(value);
}

/** What is no finite number is null, as in JSON.stringify. */
function numberOf(value: number): string {
  return Number.isFinite(value) ? String(value) : 'null';
}
