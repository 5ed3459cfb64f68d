import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Asset } from './assets.ts';

/** A file with a hash in its name is never fetched twice. */
const IMMUTABLE = 'public, max-age=31536000, immutable';
/** Everything else is asked for again, and answered 304 while it is the same. */
const REVALIDATE = 'no-cache';

/**
 * Nothing is loaded but the page's own files, nothing runs that is not among them, and no text becomes markup
 * or code (trusted types). `form-action 'none'`: a form that is submitted without the script must not put the
 * key into a URL.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const HEADERS = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy':
    'camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=(), clipboard-read=()',
  'referrer-policy': 'no-referrer',
  vary: 'accept-encoding',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

/** GET /dashboard and its files: open to everyone, and empty without an API key, which the page asks for. */
export async function registerDashboard(
  app: FastifyInstance,
  { assets }: { readonly assets: readonly Asset[] },
): Promise<void> {
  const schema = { hide: true };
  for (const asset of assets) {
    const url = asset.name === 'index.html' ? '/dashboard' : `/dashboard/assets/${asset.name}`;
    app.get(url, { schema }, (request, reply) => send(request, reply, asset));
  }
  // The page's own addresses are relative to the one without a slash.
  app.get('/dashboard/', { schema }, (_request, reply) => reply.redirect('../dashboard', 308));
}

async function send(request: FastifyRequest, reply: FastifyReply, asset: Asset): Promise<FastifyReply> {
  const { body, encoding, etag } = await asset.representation(request.headers['accept-encoding']);
  void reply.headers({ ...HEADERS, etag, 'cache-control': asset.isImmutable ? IMMUTABLE : REVALIDATE });
  if (isKnown(request.headers['if-none-match'], etag)) return reply.code(304).send();
  if (encoding !== 'identity') void reply.header('content-encoding', encoding);
  return reply.type(asset.type).send(body);
}

function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  return ifNoneMatch?.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag) ?? false;
}
