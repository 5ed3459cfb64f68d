import { type CompiledPolicy, compilePolicy } from '../policy/compile.ts';
import type { PolicyDocument } from '../policy/document.ts';
import type { TestCompileOptions } from './condition-policies.ts';

/** The policy of a mutant, without the parameters that nothing reads any more; null where it is none. */
export function compileMutant(document: PolicyDocument, options: TestCompileOptions): CompiledPolicy | null {
  const compiled = compilePolicy(document, { ...options, hash: '' });
  if (compiled.ok) return compiled.value;
  const unread = new Set(
    compiled.mistakes.map(({ path: [field, name] }) => (field === 'parameters' ? String(name) : null)),
  );
  const parameters = Object.entries(document.parameters);
  const read = parameters.filter(([name]) => !unread.has(name));
  if (unread.has(null) || read.length === parameters.length) return null;
  return compileMutant({ ...document, parameters: Object.fromEntries(read) }, options);
}
