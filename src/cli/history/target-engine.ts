import type { Engine } from '../../app/open-engine.ts';
import { CommandFailure, EXIT_CODES } from '../command.ts';

/** An engine to copy into. Rejects one that would not keep what it is given. */
export function requireLasting(engine: Engine): Engine {
  const { id, isReadable, needsRedis } = engine.definition;
  if (isReadable && !needsRedis) return engine;
  throw new CommandFailure(
    'not_a_history',
    `"${id}" keeps no history: copy into sqlite (DATA_DIR) or postgres (HISTORY_URL)`,
    EXIT_CODES.usage,
  );
}
