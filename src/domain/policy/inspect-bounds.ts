import type { ASTNode } from '@marcbachmann/cel-js';
import { namePathOf } from './name-path.ts';
import { findFactField } from './subject-fact.ts';
import { SUBJECT_FACTS } from './subject-facts.ts';

/** For each comparison, the largest number, as an addition to the bound, that it tells apart from more. */
const TELLS_UP_TO = { '>': -1, '>=': 0, '<': 0, '<=': -1, '==': -1, '!=': -1 } as const;
/** The same comparison with its sides exchanged. */
const EXCHANGED = { '>': '<', '>=': '<=', '<': '>', '<=': '>=', '==': '==', '!=': '!=' } as const;

/**
 * A comparison of a field of a fact with a number that is beyond what the field counts to: it would always
 * come to the same. Null for anything else.
 */
export function inspectBound(
  node: ASTNode,
  isShadowed: (variable: string) => boolean,
): { readonly offset: number; readonly message: string } | null {
  if (!isComparison(node)) return null;
  const [left, right] = node.args;
  return (
    findBeyond(left, node.op, right, isShadowed) ?? findBeyond(right, EXCHANGED[node.op], left, isShadowed)
  );
}

type Comparison = Extract<ASTNode, { op: keyof typeof TELLS_UP_TO }>;

function isComparison(node: ASTNode): node is Comparison {
  return Object.hasOwn(TELLS_UP_TO, node.op);
}

function findBeyond(
  field: ASTNode,
  op: Comparison['op'],
  number: ASTNode,
  isShadowed: (variable: string) => boolean,
) {
  if (number.op !== 'value' || typeof number.args !== 'bigint') return null;
  const names = namePathOf(field) ?? [];
  if (isShadowed(names[0] ?? '')) return null;
  const read = findFactField(SUBJECT_FACTS, names);
  const most = read?.fact.mostOf?.(read.path) ?? null;
  if (most === null || number.args <= most + TELLS_UP_TO[op]) return null;
  const message = `${names.join('.')} counts up to ${most}, which stands for more too: compare it with less`;
  return { offset: number.start, message };
}
