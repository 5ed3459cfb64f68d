import { LISTED_ENTRIES, LISTS_FACT } from '../policy/list-signals.ts';
import type { SubjectFacts } from '../policy/subject-fact.ts';
import { EVIDENCE_PARTS } from './list-part.ts';

/**
 * What lists say of a subject, as it would be if the provider of telemetry ids had not answered: what they say of
 * the parts that its answer tells is unknown. That they had none of a part is no proof either: with an entry of it
 * they could not have said so.
 */
export function listsWithoutTelemetry(facts: SubjectFacts): SubjectFacts {
  const lists = facts[LISTS_FACT.name];
  if (typeof lists !== 'object') return facts;
  const left = Object.entries(lists).map(([name, parts]) => [
    name,
    name === LISTED_ENTRIES ? parts : withoutParts(Object(parts) as object),
  ]);
  return { ...facts, [LISTS_FACT.name]: Object.fromEntries(left) };
}

function withoutParts(parts: object): object {
  const names: readonly string[] = EVIDENCE_PARTS;
  return Object.fromEntries(Object.entries(parts).filter(([part]) => !names.includes(part)));
}
