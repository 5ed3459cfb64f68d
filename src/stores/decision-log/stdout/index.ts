import { defineSink } from '../definition.ts';
import { createDecisionStream } from './decision-stream.ts';

/** Standard output, as JSON lines beside the lines of the log. */
export const stdout = defineSink({
  id: 'stdout',
  variables: {},
  isDurable: false,
  isShared: false,
  isReadable: false,
  isFallback: false,
  isImmediate: false,
  needsRedis: false,
  check: () => [],
  open: (_settings, { write }) => {
    const sink = createDecisionStream(write);
    return { sink, reader: null, policies: null, health: () => null, close: () => sink.close() };
  },
});
