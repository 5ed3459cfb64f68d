import type { ASTNode } from '@marcbachmann/cel-js';
import { childrenOf } from './possible-results.ts';

/**
 * The names of the signals that are read of each provider, always including `found`; null where all are read.
 */
export type SignalsRead = ReadonlyMap<string, readonly string[] | null>;

/** The signals that conditions read, at the first level only: `model.brand` counts as `model`. */
export function findSignalsRead(asts: readonly ASTNode[], providers: readonly string[]): SignalsRead {
  const names = new Map<string, Set<string> | null>(providers.map((id) => [id, new Set(['found'])]));
  const visit = (node: ASTNode): void => {
    if (node.op === 'id' && names.has(node.args)) names.set(node.args, null);
    const read = readOf(node);
    if (read === null || !names.has(read.provider)) for (const child of childrenOf(node)) visit(child);
    else names.get(read.provider)?.add(read.signal);
  };
  for (const ast of asts) visit(ast);
  return new Map([...names].map(([id, read]) => [id, read === null ? null : [...read]]));
}

/** `provider.signal` or `provider["signal"]`. */
function readOf(node: ASTNode): { readonly provider: string; readonly signal: string } | null {
  if (node.op !== '.' && node.op !== '.?' && node.op !== '[]') return null;
  const [object, key] = node.args;
  const signal: unknown = typeof key === 'string' || key.op !== 'value' ? key : key.args;
  return object.op === 'id' && typeof signal === 'string' ? { provider: object.args, signal } : null;
}
