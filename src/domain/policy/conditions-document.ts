import type { PolicyDocument } from './document.ts';

/** A document whose rules are conditions beside those of another: its names and parameters are theirs. */
export function toConditionsDocument(
  { policy, lists, events, parameters }: PolicyDocument,
  conditions: readonly string[],
): object {
  const read = new Set(conditions.flatMap((when) => when.match(/params\.\w+/g) ?? []));
  const isRead = (name: string) => read.has(`params.${name}`);
  return {
    policy,
    lists,
    events,
    otherwise: 'ALLOW',
    parameters: Object.fromEntries(Object.entries(parameters).filter(([name]) => isRead(name))),
    rules: conditions.map((when, place) => ({
      id: `condition-${place + 1}`,
      when,
      verdict: 'BLOCK',
      reason: 'CONDITION',
    })),
  };
}
