import type { ASTNode } from '@marcbachmann/cel-js';
import { nearestName } from './nearest-name.ts';
import type { Parameters } from './parameters.ts';
import { childrenOf } from './possible-results.ts';

/** The variable of parameters. */
const PARAMS = 'params';

/** A condition in which the value of each parameter stands instead of its name. */
interface FoldedCondition {
  readonly text: string;
  /** The place in the condition as it was written of a place in `text`. */
  readonly toWritten: (offset: number) => number;
  /** The names of the parameters that it reads. */
  readonly names: readonly string[];
  /** True where a parameter that it reads has no right value. */
  readonly isIncomplete: boolean;
  readonly mistakes: readonly { readonly offset: number; readonly message: string }[];
}

/** One `params.<name>` in the source. */
interface Read {
  readonly start: number;
  readonly end: number;
  readonly name: string;
}

const NAME_IT = `name the parameter: ${PARAMS}.<name>`;

/**
 * Replaces parameters by their values before a condition is checked, so that a value is checked, counted and
 * run like a literal in its place. `parse` throws on a condition that is not CEL, which stays as it is.
 */
export function foldParameters(
  written: string,
  parameters: Parameters,
  parse: (source: string) => { readonly ast: ASTNode },
): FoldedCondition {
  const asWritten = {
    text: written,
    toWritten: (offset: number) => offset,
    names: [],
    isIncomplete: false,
    mistakes: [],
  };
  if (!written.includes(PARAMS)) return asWritten;
  let ast: ASTNode;
  try {
    ({ ast } = parse(written));
  } catch {
    // The check of the condition reports the syntax error.
    return asWritten;
  }
  const mistakes: { offset: number; message: string }[] = [];
  const reads = findReads(written, ast, parameters, mistakes);
  const names = [...new Set(reads.map(({ name }) => name))];
  for (const name of names) parameters.read.add(name);
  const literals = reads.map(({ name }) => parameters.literals.get(name) ?? null);
  return { ...replace(written, reads, literals), names, isIncomplete: literals.includes(null), mistakes };
}

function findReads(
  written: string,
  ast: ASTNode,
  { literals }: Parameters,
  mistakes: { offset: number; message: string }[],
): Read[] {
  const reads: Read[] = [];
  const refuse = (offset: number, message: string) => mistakes.push({ offset, message });
  const visit = (node: ASTNode): void => {
    const name = nameRead(node);
    if (name !== null) {
      if (!literals.has(name)) refuse(node.start, unknownName(name, literals.keys()));
      // The parser leaves parentheses out of the positions.
      else if (/^[^)]*$/.test(written.slice(node.start, node.end)))
        reads.push({ start: node.start, end: node.end, name });
      else refuse(node.start, NAME_IT);
    } else if (node.op === 'call' && node.args[0] === 'has' && readsParameter(node.args[1][0])) {
      refuse(node.start, 'a parameter always has a value: has() is not needed');
    } else if (bindsParams(node)) {
      // A condition of a policy without parameters may use the name for a variable of its own.
      if (literals.size > 0) refuse(node.start, `"${PARAMS}" is the name of the parameters`);
    } else if (node.op === 'id' && node.args === PARAMS) refuse(node.start, NAME_IT);
    else for (const child of childrenOf(node)) visit(child);
  };
  visit(ast);
  return reads.sort((left, right) => left.start - right.start);
}

/** `params.name` and `params["name"]`. */
function nameRead(node: ASTNode): string | null {
  if (node.op !== '.' && node.op !== '[]') return null;
  const [object, key] = node.args;
  if (object.op !== 'id' || object.args !== PARAMS) return null;
  const name: unknown = typeof key === 'string' || key.op !== 'value' ? key : key.args;
  return typeof name === 'string' ? name : null;
}

function readsParameter(node: ASTNode | undefined): boolean {
  return node !== undefined && nameRead(node) !== null;
}

/** True for a macro or `cel.bind()` whose own variable is called `params`. */
function bindsParams(node: ASTNode): boolean {
  if (node.op !== 'rcall') return false;
  const [first] = node.args[2];
  return first?.op === 'id' && first.args === PARAMS;
}

function unknownName(name: string, known: Iterable<string>): string {
  const meant = nearestName(name, known);
  return `no parameter "${name}" at the top of the file${meant === null ? '' : `: did you mean "${meant}"?`}`;
}

function replace(
  written: string,
  reads: readonly Read[],
  literals: readonly (string | null)[],
): Pick<FoldedCondition, 'text' | 'toWritten'> {
  let text = '';
  let copied = 0;
  const places = reads.map(({ start, end }, index) => {
    text += written.slice(copied, start);
    const place = { from: text.length, to: 0, start, end };
    text += literals[index] ?? '';
    place.to = text.length;
    copied = end;
    return place;
  });
  text += written.slice(copied);
  return {
    text,
    toWritten(offset) {
      const place = places.findLast(({ from }) => from <= offset);
      if (place === undefined) return offset;
      return offset < place.to ? place.start : offset - place.to + place.end;
    },
  };
}
