import { parseYaml } from '../../src/platform/yaml-document.ts';

/**
 * The value of a YAML text, held to what the service's own files are held to. Throws with every mistake in
 * it.
 */
export function readYaml(text: string): unknown {
  const { value, mistakes } = parseYaml(text, { texts: ['when'] });
  if (mistakes.length > 0) throw new Error(mistakes.join('\n'));
  return value;
}
