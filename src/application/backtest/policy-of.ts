import type { CompiledPolicy } from '../../domain/policy/compile.ts';
import type { Result } from '../../domain/result.ts';
import type { PolicyTexts } from '../decision-log/policy-texts.ts';

/** The policy of a hash, or why nothing can be judged by it. */
type FoundPolicy =
  | { readonly ok: true; readonly policy: CompiledPolicy }
  | { readonly ok: false; readonly why: string };

/** Finds the policies that kept decisions were made with. Rejects with what reading their texts rejects with. */
export type PolicyOf = (hash: string) => FoundPolicy | Promise<FoundPolicy>;

interface PolicySources {
  /** Policies that are at hand, beside those that are kept. */
  readonly given: readonly CompiledPolicy[];
  /** Null where no texts are kept. */
  readonly texts: Pick<PolicyTexts, 'find'> | null;
  /** Compiles a text, without its assertions. */
  readonly compile: (text: string) => Result<CompiledPolicy, string>;
}

/** Policies that stay compiled: about 100 KB each. */
const POLICIES_MAX = 64;
const NO_TEXT = 'the text of its policy is not kept';

/** Finds policies by their hashes; those of before are compiled once, as long as there are not too many. */
export function createPolicyOf({ given, texts, compile }: PolicySources): PolicyOf {
  const own = new Map<string, FoundPolicy>(given.map((policy) => [policy.hash, { ok: true, policy }]));
  const known = new Map<string, FoundPolicy>();
  const read = async (hash: string): Promise<FoundPolicy> => {
    const text = (await texts?.find(hash)) ?? null;
    const found = text === null ? ({ ok: false, why: NO_TEXT } as const) : toFound(compile(text), hash);
    if (known.size >= POLICIES_MAX) known.clear();
    known.set(hash, found);
    return found;
  };
  return (hash) => own.get(hash) ?? known.get(hash) ?? read(hash);
}

function toFound(compiled: Result<CompiledPolicy, string>, hash: string): FoundPolicy {
  if (!compiled.ok)
    return { ok: false, why: `this version refuses its policy: ${compiled.mistakes[0] ?? 'it is none'}` };
  if (compiled.value.hash !== hash) return { ok: false, why: 'the text of its policy is damaged' };
  return { ok: true, policy: compiled.value };
}
