/** Names of the service's metrics in an expression, those of recorded series left out. */
export function findMetricNames(expression: string): readonly string[] {
  const bare = expression.replaceAll(/\{[^}]*\}/g, '').replaceAll(/\b(by|ignoring|on)\s*\([^)]*\)/g, '');
  return [...bare.matchAll(/(?<![\w:])(riskgate|process|nodejs)_\w+/g)].map(([name]) => name);
}

/** One label that an expression picks series by. */
interface Selector {
  readonly metric: string;
  readonly label: string;
  /** Each that it names; patterns other than alternatives are one. */
  readonly values: readonly string[];
}

/** The labels of metrics of riskgate that an expression picks series by; those of recorded series left out. */
export function findSelectors(expression: string): readonly Selector[] {
  const selected = [...expression.matchAll(/(?<![\w:])(riskgate_\w+)\{([^}]*)\}/g)];
  return selected.flatMap(([, metric = '', labels = '']) =>
    [...labels.matchAll(/(\w+)(?:=~|!=|!~|=)"([^"]*)"/g)].map(([, label = '', pattern = '']) => ({
      metric,
      label,
      values: pattern.split('|'),
    })),
  );
}
