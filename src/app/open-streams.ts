import type { SharedSignalDependencies } from '../http/routes/shared-signals.ts';
import { createLocalKeys, createRemoteKeys } from '../http/shared-signals/key-set.ts';
import { pollStream } from '../http/shared-signals/poll-stream.ts';
import { createReceiveSet, type SharedSignalStream } from '../http/shared-signals/receive-set.ts';
import { createHttpClient, type HttpClient } from '../platform/http-client.ts';
import { createFindProxy } from '../platform/proxy-rules.ts';
import type { AppContext } from './context.ts';
import type { StreamSettings } from './shared-signals-file.ts';

/** What receives them. */
export interface SharedSignalReceiver {
  /** Null where none are taken. */
  readonly routes: SharedSignalDependencies | null;
  close(): Promise<void>;
}

/** Fifty tokens of some kilobytes. */
const BODY_BYTES_MAX = 1024 * 1024;

/** Opens the streams of the file, and begins to poll those that are polled. */
export function openStreams(
  { config, clock, logger }: AppContext,
  settings: readonly StreamSettings[],
  { take, observer }: Pick<Parameters<typeof createReceiveSet>[0], 'take' | 'observer'>,
): SharedSignalReceiver {
  const receive = createReceiveSet({ take, clock, observer, logger });
  const findProxy = createFindProxy(config.proxy);
  const clients: HttpClient[] = [];
  const clientOf = (url: URL): HttpClient => {
    const client = createHttpClient({
      baseUrl: url.origin,
      proxy: findProxy(url),
      connectionsMax: 2,
      bodyBytesMax: BODY_BYTES_MAX,
    });
    clients.push(client);
    return client;
  };
  const streams = new Map<string, SharedSignalStream>();
  const polls: { stop(): Promise<void> }[] = [];
  for (const { name, issuer, audience, algorithms, jwks_uri: uri = '', localKeys, ...rest } of settings) {
    const remote = () => {
      const url = new URL(uri);
      return createRemoteKeys({ url, client: clientOf(url), clock });
    };
    const stream = {
      name,
      trust: {
        issuer,
        audience,
        algorithms,
        keys: localKeys === null ? remote() : createLocalKeys(localKeys),
      },
    };
    streams.set(name, stream);
    if (rest.poll === undefined) continue;
    const url = new URL(rest.poll.url);
    polls.push(
      pollStream({
        stream,
        url,
        client: clientOf(url),
        token: rest.pollToken,
        intervalMs: rest.poll.interval_seconds * 1000,
        receive,
        logger,
      }),
    );
  }
  return {
    routes: { streams, receive },
    close: async () => {
      await Promise.all(polls.map((poll) => poll.stop()));
      await Promise.all(clients.map((client) => client.close()));
    },
  };
}
