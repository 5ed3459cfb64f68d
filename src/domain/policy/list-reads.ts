import type { ASTNode } from '@marcbachmann/cel-js';
import type { ListPart } from '../lists/list-part.ts';
import { strictnessOf } from '../verdict.ts';
import type { CompiledPolicy } from './compile.ts';
import { LISTS_FACT } from './list-signals.ts';
import { namePathOf } from './name-path.ts';
import { childrenOf } from './possible-results.ts';

/** What a policy reads of one list. */
export interface ListRead {
  readonly list: string;
  readonly parts: readonly ListPart[];
  /**
   * True where being on the list can make an answer milder: it exempts, or stands in a condition that it can
   * make false.
   */
  readonly grants: boolean;
}

/** What the rules read of each list. */
export function findListReads({ rules, document }: CompiledPolicy): readonly ListRead[] {
  const reads = new Map<string, { parts: Set<ListPart>; grants: boolean }>();
  for (const { ast, source } of rules) {
    const isMilder = strictnessOf(source.verdict) < strictnessOf(document.otherwise);
    const grants = !source.observe && (source.verdict === 'ALLOW' || isMilder);
    visit(ast, grants, (list, part, isGranting) => {
      const read = reads.get(list) ?? { parts: new Set(), grants: false };
      reads.set(list, { parts: read.parts.add(part), grants: read.grants || isGranting });
    });
  }
  return [...reads].map(([list, { parts, grants }]) => ({ list, parts: [...parts], grants }));
}

type Found = (list: string, part: ListPart, grants: boolean) => void;

/** Only `&&`, `||` and the branches of a choice leave what is true in them a reason for the whole to be true. */
function visit(node: ASTNode, grants: boolean, found: Found): void {
  const [variable, list, part] = namePathOf(node) ?? [];
  if (variable === LISTS_FACT.name && list !== undefined && part !== undefined) {
    // The check has refused other parts.
    found(list, part as ListPart, grants);
    return;
  }
  const keeps = node.op === '&&' || node.op === '||' || node.op === '?:';
  childrenOf(node).forEach((child, place) => {
    visit(child, grants || !keeps || (node.op === '?:' && place === 0), found);
  });
}
