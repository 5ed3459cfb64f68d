import type { ASTNode } from '@marcbachmann/cel-js';
import type { CompiledPolicy } from './compile.ts';
import { namePathOf } from './name-path.ts';
import { childrenOf } from './possible-results.ts';

const REQUEST = 'request';

/** What conditions ask of signals of the request: their values, or by `has()` whether they are there. */
interface RequestReads {
  readonly values: ReadonlySet<string>;
  readonly presences: ReadonlySet<string>;
  /** All of them are read, without their names. */
  readonly isWhole: boolean;
}

const known = new WeakMap<CompiledPolicy, RequestReads>();

/** What the rules of a policy read of the request. */
export function requestReadsOf(policy: CompiledPolicy): RequestReads {
  let reads = known.get(policy);
  if (reads === undefined) {
    reads = findRequestReads(policy.rules.map(({ ast }) => ast));
    known.set(policy, reads);
  }
  return reads;
}

function findRequestReads(asts: readonly ASTNode[]): RequestReads {
  const values = new Set<string>();
  const presences = new Set<string>();
  let isWhole = false;
  const visit = (node: ASTNode): void => {
    const tested = node.op === 'call' && node.args[0] === 'has' ? node.args[1][0] : undefined;
    const [variable, signal] = namePathOf(tested ?? node) ?? [];
    if (variable !== REQUEST) for (const child of childrenOf(node)) visit(child);
    else if (signal === undefined) isWhole = true;
    else (tested === undefined ? values : presences).add(signal);
  };
  for (const ast of asts) visit(ast);
  return { values, presences, isWhole };
}
