import { failure, type Result, success } from '../../domain/result.ts';
import { findNameMistakes } from '../../platform/plug-in-names.ts';
import type { Setting } from '../../platform/setting.ts';
import type { SinkDefinition } from './definition.ts';
import { file } from './file/index.ts';
import { HISTORY_SETTINGS } from './history-settings.ts';
import { kafka } from './kafka/index.ts';
import { memory } from './memory/index.ts';
import { postgres } from './postgres/index.ts';
import { redis } from './redis/index.ts';
import { sqlite } from './sqlite/index.ts';
import { stdout } from './stdout/index.ts';

/** Every place where records of decisions can go, in the order in which they are listed and opened. */
export const SINKS: readonly SinkDefinition[] = [memory, postgres, redis, sqlite, kafka, file, stdout];

/** What `DECISION_LOG` says for no sink at all. */
const RESERVED_ID = 'off';

/**
 * The definitions, or every reason to refuse them: an ill-formed or duplicate id, an ill-formed or duplicate
 * environment variable, a log that could be read from several places without a name, or from none.
 */
export function checkSinks(sinks: readonly SinkDefinition[]): Result<readonly SinkDefinition[], string> {
  const shared: readonly Setting[] = Object.values(HISTORY_SETTINGS);
  const named = sinks.map(({ id, variables }) => ({
    id,
    variables: Object.values(variables)
      .filter((setting) => !shared.includes(setting))
      .map(({ env }) => env),
  }));
  const mistakes = [...findNameMistakes('Sink', named)];
  if (sinks.some(({ id }) => id === RESERVED_ID)) mistakes.push(`Sink id "${RESERVED_ID}" is reserved.`);
  const fallbacks = sinks.filter(({ isFallback, isReadable }) => isFallback && isReadable).length;
  if (fallbacks !== 1) mistakes.push(`One readable sink is the fallback, and not ${fallbacks}.`);
  return mistakes.length === 0 ? success(sinks) : failure(mistakes);
}
