import { join } from 'node:path';
import type { AppContext } from './context.ts';

/** The path of a file beside the history in files; null without one. */
export function fileBesideHistory({ config }: Pick<AppContext, 'config'>, name: string): string | null {
  const sqlite = config.decisionLog.sinks.find(({ id }) => id === 'sqlite')?.settings;
  const directory = sqlite?.['dataDirectory'];
  return typeof directory === 'string' ? join(directory, name) : null;
}
