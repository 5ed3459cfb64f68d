import { z } from 'zod';
import type { Settings } from '../platform/setting.ts';

/** The variables of webhooks. */
export const WEBHOOK_SETTINGS = {
  webhooksFile: {
    env: 'WEBHOOKS_FILE',
    schema: z.string().min(1),
    isOptional: true,
    description:
      'YAML file of [webhooks](webhooks.md): where messages are sent, with which secrets. Read at the start. Without it none are sent.',
  },
  arePrivateWebhooksAllowed: {
    env: 'WEBHOOKS_PRIVATE',
    schema: z.enum(['on', 'off'], 'must be on or off').transform((state) => state === 'on'),
    default: 'off',
    description:
      '`on` sends webhooks to addresses that are not public too (private networks, loopback, link-local). Where a proxy is used, it decides.',
  },
} as const satisfies Settings;
