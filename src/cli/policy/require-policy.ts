import type { CompiledPolicy } from '../../domain/policy/compile.ts';
import { CommandFailure, EXIT_CODES } from '../command.ts';
import { openPolicy } from './open-policy.ts';

/**
 * The policy in a file, whether or not its assertions hold. Throws a `CommandFailure` of wrong usage where it
 * has mistakes, with all of them.
 */
export function requirePolicy(path: string): CompiledPolicy {
  const { policy, mistakes } = openPolicy(path, false);
  if (policy !== null) return policy;
  const text = mistakes.map((mistake) => mistake.text).join('\n');
  throw new CommandFailure('bad_policy', text, EXIT_CODES.usage);
}
