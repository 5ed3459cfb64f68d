import type { Engine } from '../../app/open-engine.ts';
import { type CliContext, type CliOption, CommandFailure, EXIT_CODES } from '../command.ts';

/** Which log a command works on. */
export const ENGINE_OPTION: CliOption = {
  flags: '--engine <id>',
  description: 'the sink: sqlite, postgres, redis or file; otherwise the one that a service would read',
};

/** Another place where decisions are. */
export const FILE_OPTION: CliOption = {
  flags: '--file <file>',
  description: 'an export (ndjson, plain or compressed by gzip or zstd) in place of a log',
};

/** The engine of the environment, or of the option. Rejects where it is not configured. */
export async function findEngineOf(context: CliContext, id: string | boolean | undefined): Promise<Engine> {
  const { findEngine, LASTING_ENGINES } = await import('../../app/open-engine.ts');
  const { env, stderr } = context;
  if (typeof id === 'string' && !LASTING_ENGINES.includes(id))
    throw new CommandFailure(
      'usage',
      `"${id}" is no log that outlives its process; there are ${LASTING_ENGINES.join(', ')}`,
      EXIT_CODES.usage,
    );
  const found = findEngine(env, {
    id: typeof id === 'string' ? id : null,
    warn: (line) => void stderr.write(line),
  });
  if (found.ok) return found.value;
  throw new CommandFailure('not_configured', found.mistakes.join('\n'), EXIT_CODES.usage);
}

/** What a store, a file or the system says of a failure, for people; the error itself where it is none of those. */
export function toFailure(error: unknown): unknown {
  if (error instanceof CommandFailure || !(error instanceof Error)) return error;
  const code: unknown = Reflect.get(error, 'code');
  if (error.name === 'AbortError') return new CommandFailure('interrupted', 'interrupted');
  if (typeof code === 'string') return new CommandFailure(code.toLowerCase(), error.message);
  return error;
}
