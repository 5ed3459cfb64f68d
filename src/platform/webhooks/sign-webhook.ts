import { createHmac } from 'node:crypto';

const PREFIX = 'whsec_';
/** Standard Webhooks 1.0, "Signature scheme": 24 to 64 bytes. */
const KEY_BYTES = { min: 24, max: 64 } as const;

/** The key of a secret as Standard Webhooks writes it, `whsec_` and Base64; null for what is none. */
export function parseWebhookSecret(text: string): Buffer | null {
  if (!text.startsWith(PREFIX)) return null;
  const base64 = text.slice(PREFIX.length);
  const key = Buffer.from(base64, 'base64');
  const isCanonical = key.toString('base64').replaceAll('=', '') === base64.replaceAll('=', '');
  return isCanonical && key.length >= KEY_BYTES.min && key.length <= KEY_BYTES.max ? key : null;
}

/** The header fields that sign a body (Standard Webhooks 1.0). `atMs` is when this attempt is made. */
export function signWebhook(
  key: Uint8Array,
  { id, atMs, body }: { readonly id: string; readonly atMs: number; readonly body: string },
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(atMs / 1000));
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
