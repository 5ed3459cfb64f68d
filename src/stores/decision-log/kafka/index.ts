import type { Logger } from 'pino';
import { defineSink } from '../definition.ts';
import { KAFKA_SETTINGS } from './kafka-settings.ts';
import type { KafkaEvent } from './kafka-sink.ts';
import { findKafkaMistakes, isLoginReadable, readKafkaTarget } from './read-kafka-target.ts';

/** A topic of a Kafka cluster, for whatever reads it from there: it is written only. */
export const kafka = defineSink({
  id: 'kafka',
  variables: KAFKA_SETTINGS,
  isDurable: true,
  isShared: true,
  isReadable: false,
  isFallback: false,
  isImmediate: false,
  needsRedis: false,
  check: findKafkaMistakes,
  open: async (settings, { isStrict, timeoutMs: waitMs, logger }) => {
    const target = readKafkaTarget(settings);
    if (isLoginReadable(target))
      logger.warn(
        { event: 'decision_log.kafka_clear_login' },
        'what Kafka is signed in with is sent in the clear',
      );
    const { createKafkaSink } = await import('./kafka-sink.ts');
    const sink = createKafkaSink({ target, isStrict, waitMs, onEvent: (event) => report(event, logger) });
    return { sink, reader: null, policies: null, health: () => null, close: () => sink.close() };
  },
});

function report({ kind, ...fields }: KafkaEvent, logger: Logger): void {
  const line = { event: `decision_log.kafka_${kind}`, ...fields };
  if (kind === 'failed') logger.error(line, 'records do not reach the topic');
  else if (kind === 'refused') logger.error(line, 'the topic takes these records from nobody');
  else logger.info(line);
}
