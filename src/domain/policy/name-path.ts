import type { ASTNode } from '@marcbachmann/cel-js';

/** The names in `variable.field["field"]`, from the outside inwards; null for any other node. */
export function namePathOf(node: ASTNode): readonly string[] | null {
  if (node.op === 'id') return [node.args];
  if (node.op !== '.' && node.op !== '[]') return null;
  const [object, field] = node.args;
  const key: unknown = typeof field === 'string' || field.op !== 'value' ? field : field.args;
  const path = namePathOf(object);
  return path !== null && typeof key === 'string' ? [...path, key] : null;
}
