import type { ASTNode } from '@marcbachmann/cel-js';
import type { CompiledPolicy } from './compile.ts';
import type { PolicyMistake } from './document.ts';
import { childrenOf } from './possible-results.ts';

/** What is allowed in a policy and is most likely not what its author means. It keeps no service from starting. */
export function findWarnings({ rules }: CompiledPolicy): readonly PolicyMistake[] {
  const seen = new Map<string, string>();
  return rules.flatMap(({ ast, source: { id, when } }, index) => {
    const text = when.trim().replaceAll(/\s+/g, ' ');
    const earlier = seen.get(text);
    if (earlier === undefined) seen.set(text, id);
    const messages = [
      ...(earlier === undefined ? [] : [`is the condition of rule ${earlier} too`]),
      ...(readsVariable(ast) ? [] : ['reads nothing, so that it is the same for everyone']),
    ];
    const path = ['rules', index, 'when'];
    return messages.map((message) => ({ path, isKey: false, offset: null, message }));
  });
}

function readsVariable(node: ASTNode): boolean {
  return node.op === 'id' || childrenOf(node).some(readsVariable);
}
