import type { Logger } from 'pino';
import { z } from 'zod';
import { defineSink } from '../definition.ts';
import { type DecisionFileEvent, openDecisionFile } from './decision-file.ts';
import { findDecisionFileMistakes } from './decision-file-check.ts';

/** A file of JSON lines that this process alone appends to. */
export const file = defineSink({
  id: 'file',
  variables: {
    path: {
      env: 'DECISION_LOG_FILE',
      schema: z.string().min(1),
      description:
        'The file of the sink `file`, one JSON record a line, for this process alone. Rotate it by renaming: within a second a new one is begun.',
    },
  },
  isDurable: true,
  isShared: false,
  isReadable: false,
  isFallback: false,
  isImmediate: false,
  needsRedis: false,
  check: ({ path }) => findDecisionFileMistakes(path),
  lineFile: ({ path }) => path,
  open: async ({ path }, { isStrict, logger }) => {
    const sink = await openDecisionFile({
      path,
      isSynced: isStrict,
      onEvent: (event) => report(event, logger),
    });
    return { sink, reader: null, policies: null, health: () => null, close: () => sink.close() };
  },
});

function report({ kind, ...fields }: DecisionFileEvent, logger: Logger): void {
  const line = { event: `decision_log.file_${kind}`, ...fields };
  if (kind === 'failed') logger.error(line, 'the decision log cannot be written');
  else if (kind === 'truncated')
    logger.error(line, 'the decision log was emptied in place: records may be lost, rotate by renaming');
  else if (kind === 'repaired') logger.warn(line, 'a torn end of the decision log was cut off');
  else logger.info(line);
}
