import { z } from 'zod';
import { createHttpClient, type HttpClient } from '../platform/http-client.ts';
import { createFindProxy } from '../platform/proxy-rules.ts';
import { readTextFile } from '../platform/read-text-file.ts';
import type { Result } from '../platform/result.ts';
import { isPublicAddress } from '../platform/webhooks/public-address.ts';
import { parseWebhookSecret } from '../platform/webhooks/sign-webhook.ts';
import { type CountingWebhookSender, createWebhookSender } from '../platform/webhooks/webhook-sender.ts';
import { parseYaml } from '../platform/yaml-document.ts';
import type { AppContext } from './context.ts';
import type { RedisInUse } from './redis.ts';
import { openWebhookOutbox } from './webhook-outbox.ts';

const TYPES = ['decision.superseded', 'alert.firing', 'alert.resolved'] as const;
const FILE_BYTES_MAX = 262_144;
const SECRET_BYTES_MAX = 1_024;
const TARGETS_MAX = 32;

const documentSchema = z.strictObject({
  targets: z
    .record(
      z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/),
      z.strictObject({
        url: z
          .string()
          .max(2048)
          .refine(isPlainUrl, 'must be an http:// or https:// URL without user and fragment'),
        secret_file: z.string().min(1),
        events: z.array(z.enum(TYPES)).min(1).optional(),
      }),
    )
    .refine((all) => Object.keys(all).length > 0, 'names no target')
    .refine((all) => Object.keys(all).length <= TARGETS_MAX, `names more than ${TARGETS_MAX} targets`),
});

interface TargetSettings {
  readonly name: string;
  readonly url: URL;
  readonly key: Uint8Array;
  readonly types: readonly string[] | null;
}

/** The targets of a file; or every mistake in it and in the files that it names, each with its path. */
export function readWebhooks(path: string): Result<readonly TargetSettings[]> {
  const text = readTextFile(path, FILE_BYTES_MAX);
  if (!text.ok) return text;
  const document = parseYaml(text.value);
  const parsed = documentSchema.safeParse(document.value);
  const mistakes = [
    ...document.mistakes,
    ...(document.mistakes.length > 0 || parsed.success
      ? []
      : document.describe(
          parsed.error.issues.map(({ path: steps, message }) => ({
            path: steps.filter((step) => typeof step !== 'symbol'),
            message,
          })),
        )),
  ];
  if (mistakes.length > 0 || !parsed.success)
    return { ok: false, mistakes: mistakes.map((mistake) => `${path}:${mistake}`) };
  const read = Object.entries(parsed.data.targets).map(
    ([name, { url, secret_file: file, events = null }]) => {
      const secret = readTextFile(file, SECRET_BYTES_MAX);
      if (!secret.ok) return secret;
      const key = parseWebhookSecret(secret.value.trim());
      if (key === null)
        return {
          ok: false as const,
          mistakes: [`${file}: must hold whsec_ and the Base64 of 24 to 64 bytes`],
        };
      return { ok: true as const, value: { name, url: new URL(url), key, types: events } };
    },
  );
  const wrong = read.flatMap((each) => (each.ok ? [] : each.mistakes));
  if (wrong.length > 0) return { ok: false, mistakes: wrong };
  return { ok: true, value: read.flatMap((each) => (each.ok ? [each.value] : [])) };
}

/** The one sender of the service. */
export interface Webhooks extends CountingWebhookSender {
  /** Stops, and closes the connections. */
  closeAll(): Promise<void>;
}

/** Opens it. Throws where the file cannot be used. */
export function openWebhooks(context: AppContext, redis: RedisInUse): Webhooks {
  const { config, clock, newId, random, logger } = context;
  const settings = config.webhooksFile === null ? null : readWebhooks(config.webhooksFile);
  if (settings !== null && !settings.ok) throw new Error(settings.mistakes.join('\n'));
  const findProxy = createFindProxy(config.proxy);
  const clients: HttpClient[] = [];
  const targets = (settings?.value ?? []).map((target) => {
    const client = createHttpClient({
      baseUrl: target.url.origin,
      proxy: findProxy(target.url),
      connectionsMax: 4,
      ...(!config.arePrivateWebhooksAllowed && { isAddressAllowed: isPublicAddress }),
    });
    clients.push(client);
    return { ...target, client };
  });
  const kept = openWebhookOutbox(
    context,
    redis,
    targets.map(({ name }) => name),
  );
  const sender = createWebhookSender({
    targets,
    outbox: kept.outbox,
    nowMs: () => clock.nowMs(),
    newId,
    random,
    onEvent: ({ result, ...fields }) => {
      const line = { event: `webhook.${result}`, ...fields };
      if (result === 'delivered') logger.debug(line);
      else logger.warn(line, 'a webhook was not delivered');
    },
  });
  return {
    ...sender,
    closeAll: async () => {
      sender.close();
      await Promise.all(clients.map((client) => client.close()));
      await kept.close();
    },
  };
}

function isPlainUrl(text: string): boolean {
  if (!URL.canParse(text) || text.includes('#')) return false;
  const { protocol, username, password } = new URL(text);
  return (protocol === 'https:' || protocol === 'http:') && username === '' && password === '';
}
