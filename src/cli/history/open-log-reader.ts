import type { Engine } from '../../app/open-engine.ts';
import type { OpenReader } from '../../stores/decision-log/definition.ts';
import { CommandFailure, EXIT_CODES } from '../command.ts';

/** Opens an engine for reading. Rejects where it keeps records that it cannot give back. */
export async function openLogReader(engine: Engine): Promise<OpenReader> {
  const { id } = engine.definition;
  const opened = await open(engine);
  if (opened !== null) return opened;
  throw new CommandFailure(
    'unreadable_engine',
    `records of "${id}" cannot be read back from it; import its files instead`,
    EXIT_CODES.usage,
  );
}

async function open(engine: Engine): Promise<OpenReader | null> {
  try {
    return await engine.openReader();
  } catch (error) {
    throw new CommandFailure('cannot_open', error instanceof Error ? error.message : String(error));
  }
}
