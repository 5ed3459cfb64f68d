import type { CompiledPolicy } from '../policy/compile.ts';
import type { AlertRule } from './alert-rule.ts';

/** A name in an alert that a policy does not have. */
interface UnknownName {
  readonly alert: string;
  readonly kind: 'rule' | 'list';
  readonly name: string;
}

/** The rules and lists that alerts name and a policy does not have: misspelt, or of another policy. */
export function findUnknownNames(
  alerts: readonly AlertRule[],
  { rules, document }: Pick<CompiledPolicy, 'rules' | 'document'>,
): readonly UnknownName[] {
  const known = {
    rule: new Set(rules.map(({ source }) => source.id)),
    list: new Set(document.lists),
  };
  return alerts.flatMap((alert) => {
    const named = [
      { kind: 'rule', name: alert.when === 'rule_spike' ? alert.rule : undefined },
      { kind: 'list', name: alert.when === 'list_changed' ? alert.list : undefined },
    ] as const;
    return named.flatMap(({ kind, name }) =>
      name === undefined || known[kind].has(name) ? [] : [{ alert: alert.name, kind, name }],
    );
  });
}
