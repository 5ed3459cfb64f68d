import type { ASTNode } from '@marcbachmann/cel-js';
import { findUnknownList } from './list-names.ts';
import { LISTS_FACT } from './list-signals.ts';
import { namePathOf } from './name-path.ts';
import { nearestName } from './nearest-name.ts';
import { childrenOf } from './possible-results.ts';
import type { ObjectType, SignalType } from './signal-type.ts';

/** A name in a condition that nothing has, and what is wrong with it. */
interface UnknownName {
  readonly offset: number;
  readonly message: string;
}

/** What names in conditions can be. */
export interface KnownNames {
  /** The type of each variable. */
  readonly variables: ReadonlyMap<string, ObjectType>;
  /** The lists that the document names. */
  readonly lists: readonly string[];
  /** The functions and methods of the language. */
  readonly functions: ReadonlySet<string>;
}

/** What `cel.bind()` and optional values begin with. */
const NAMESPACES: ReadonlySet<string> = new Set(['cel', 'optional']);

/** Nobody reads more, and each is compared with all that there are. */
const FOUND_MAX = 10;

/** The first variables, signals and functions that a condition names and that there are not. */
export function findUnknownNames(ast: ASTNode, known: KnownNames): readonly UnknownName[] {
  const found: UnknownName[] = [];
  visit(ast, known, new Set(), found);
  return found;
}

function visit(node: ASTNode, known: KnownNames, bound: ReadonlySet<string>, found: UnknownName[]): void {
  if (found.length >= FOUND_MAX) return;
  const path = namePathOf(node);
  if (path !== null) {
    const mistake = bound.has(path[0] ?? '') ? null : mistakeIn(path, node, known);
    if (mistake !== null) found.push(mistake);
    return;
  }
  if ((node.op === 'call' || node.op === 'rcall') && !known.functions.has(node.args[0]))
    found.push({
      offset: node.start,
      message: `there is no ${named('function', node.args[0], known.functions)}`,
    });
  const own = node.op === 'rcall' ? namesBound(node.args[2]) : [];
  const inside = own.length === 0 ? bound : new Set([...bound, ...own]);
  for (const child of childrenOf(node)) visit(child, known, inside, found);
}

/** A name at the front of a macro's operands may be its own variable. */
function namesBound(operands: readonly ASTNode[]): readonly string[] {
  const [first] = operands;
  return operands.length > 1 && first?.op === 'id' ? [first.args] : [];
}

function mistakeIn(path: readonly string[], node: ASTNode, known: KnownNames): UnknownName | null {
  const [variable = '', ...fields] = path;
  if (variable === LISTS_FACT.name) return findUnknownList(node, known.lists);
  const offsets = offsetsOf(node);
  let type: SignalType | undefined = known.variables.get(variable);
  if (type === undefined) {
    const message = `there is no ${named('variable', variable, known.variables.keys())}`;
    return NAMESPACES.has(variable) ? null : { offset: offsets[0] ?? 0, message };
  }
  for (const [depth, field] of fields.entries()) {
    // What the engine says of other values is right.
    if (type.kind !== 'object') return null;
    const names: ReadonlyMap<string, SignalType> = type.fields;
    type = names.get(field);
    if (type === undefined) {
      const message = `${path.slice(0, depth + 1).join('.')} has no ${named('signal', field, names.keys())}`;
      return { offset: offsets[depth + 1] ?? 0, message };
    }
  }
  return null;
}

function named(what: string, name: string, known: Iterable<string>): string {
  const meant = nearestName(name, known);
  return meant === null ? `${what} "${name}"` : `${what} "${name}": did you mean "${meant}"?`;
}

/** Where each name of a path stands. */
function offsetsOf(node: ASTNode): readonly number[] {
  if (node.op !== '.' && node.op !== '[]') return [node.start];
  const [object, field] = node.args;
  const offset = typeof field === 'string' ? node.end - field.length : field.start;
  return [...offsetsOf(object), offset];
}
