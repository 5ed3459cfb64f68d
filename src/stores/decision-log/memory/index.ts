import { integer } from '../../../platform/setting.ts';
import { defineSink } from '../definition.ts';
import { createMemoryDecisionLog } from './decision-log.ts';
import { createMemoryPolicyTexts } from './policy-texts.ts';

/** The latest records of this process: it ends with it, and other replicas have their own. */
export const memory = defineSink({
  id: 'memory',
  variables: {
    recordsMax: {
      env: 'DECISION_LOG_MEMORY_RECORDS',
      schema: integer(1, 1_000_000),
      default: '10000',
      description:
        'Without Redis: the latest records that can be read, 2 KiB each, and 4 KiB more where their evidence is in no cache any more.',
    },
  },
  isDurable: false,
  isShared: false,
  isReadable: true,
  isFallback: true,
  isImmediate: true,
  needsRedis: false,
  check: () => [],
  open: ({ recordsMax }, { clock, countsKeptMs }) => {
    const log = createMemoryDecisionLog({ clock, recordsMax, countsKeptMs });
    return {
      sink: log,
      reader: log,
      policies: createMemoryPolicyTexts(),
      health: () => null,
      close: () => log.close(),
    };
  },
});
