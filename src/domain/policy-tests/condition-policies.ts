import { type CompiledPolicy, compilePolicy } from '../policy/compile.ts';
import type { CompileOptions } from '../policy/compile-condition.ts';
import { toConditionsDocument } from '../policy/conditions-document.ts';

/** What conditions and policies are compiled with. */
export type TestCompileOptions = Omit<CompileOptions, 'hash' | 'text'>;

/** As many conditions as one policy takes, with room. */
const CONDITIONS_MAX = 200;

/** Conditions with what each of them is compiled to: a rule of one of these policies. */
interface ConditionPolicies {
  readonly policies: readonly CompiledPolicy[];
  /** Of each condition that could be compiled, the policy and the place of its rule. */
  readonly places: ReadonlyMap<string, readonly [number, number]>;
}

/** Compiles conditions, or parts of them, as rules of their own, with the names that the policy has. */
export function compileConditions(
  { document }: CompiledPolicy,
  conditions: Iterable<string>,
  options: TestCompileOptions,
): ConditionPolicies {
  const texts = [...new Set(conditions)];
  const policies: CompiledPolicy[] = [];
  const places = new Map<string, readonly [number, number]>();
  const compile = (some: readonly string[]): void => {
    const compiled = compilePolicy(toConditionsDocument(document, some), { ...options, hash: '' });
    if (compiled.ok) {
      const policy = policies.push(compiled.value) - 1;
      some.forEach((text, place) => {
        places.set(text, [policy, place]);
      });
    } else if (some.length > 1) {
      // One that cannot stand alone must not keep the others from it.
      const half = Math.ceil(some.length / 2);
      compile(some.slice(0, half));
      compile(some.slice(half));
    }
  };
  for (let from = 0; from < texts.length; from += CONDITIONS_MAX)
    compile(texts.slice(from, from + CONDITIONS_MAX));
  return { policies, places };
}
