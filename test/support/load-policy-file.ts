import { readFileSync } from 'node:fs';
import { loadPolicy } from '../../src/application/load-policy.ts';
import type { CompiledPolicy } from '../../src/domain/policy/compile.ts';
import { compileLinearPattern } from '../../src/platform/linear-pattern.ts';
import { parseYaml } from '../../src/platform/yaml-document.ts';
import { PROVIDERS } from '../../src/providers/registry.ts';
import { SMALL_WORLD } from './reference-data.ts';

/** Compiles a file of policies/ against the real registry. Throws with every mistake in it. */
export function loadPolicyFile(name: string): CompiledPolicy {
  const result = loadPolicy(readFileSync(new URL(`../../policies/${name}`, import.meta.url), 'utf8'), {
    providers: PROVIDERS,
    parse: parseYaml,
    compilePattern: compileLinearPattern,
    countriesOfTimeZone: SMALL_WORLD.countriesOfTimeZone,
    sha256: () => 'not-computed-here',
  });
  if (!result.ok) throw new Error(result.mistakes.join('\n'));
  return result.value;
}
