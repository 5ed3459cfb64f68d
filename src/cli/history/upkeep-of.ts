import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Engine } from '../../app/open-engine.ts';
import type { Upkeep } from '../../stores/decision-log/definition.ts';
import { CommandFailure, EXIT_CODES } from '../command.ts';

/** SQLITE_BUSY. */
const LOCKED = 5;

/** What the engine says of its own files. Rejects where it has none. */
export async function upkeepOf({ definition }: Engine): Promise<Upkeep<Engine['settings']>> {
  if (definition.loadUpkeep !== undefined) return definition.loadUpkeep();
  const own = definition.id === 'postgres' ? ': PostgreSQL has its own (amcheck, VACUUM)' : '';
  throw new CommandFailure('no_files', `"${definition.id}" has no files of ours${own}`, EXIT_CODES.usage);
}

/** What is said of each file, with a moment after each in which an interruption is heard. */
export async function readFiles<File>(files: Iterable<File>, signal: AbortSignal): Promise<readonly File[]> {
  const read: File[] = [];
  try {
    for (const file of files) {
      read.push(file);
      await nextTurn();
      if (signal.aborted) throw new CommandFailure('interrupted', 'interrupted');
    }
    return read;
  } catch (error) {
    if (error instanceof CommandFailure || !(error instanceof Error)) throw error;
    throw Reflect.get(error, 'errcode') === LOCKED
      ? new CommandFailure('locked', 'a service has this history: stop it first')
      : new CommandFailure('cannot_open', error.message);
  }
}
