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

/** Signals that a GeoIP file tells of the address. */
export const PLACE_SIGNALS = ['country', 'asn'] as const;

/** Those of them that the rules read, or ask the presence of. */
export function placeReadsOf(policy: CompiledPolicy): readonly (typeof PLACE_SIGNALS)[number][] {
  const { values, presences, isWhole } = requestReadsOf(policy);
  return PLACE_SIGNALS.filter((name) => isWhole || values.has(name) || presences.has(name));
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
