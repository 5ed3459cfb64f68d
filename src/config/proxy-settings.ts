import { z } from 'zod';
import type { Settings } from '../platform/setting.ts';

/**
 * The variables of proxies, as most programs read them; each also in lower case, which goes before. They are
 * obeyed wherever they are set: no `NODE_USE_ENV_PROXY` is needed.
 */
export const PROXY_SETTINGS = {
  https: {
    env: 'HTTPS_PROXY',
    schema: z.string().refine(isProxy, 'must be an http:// or https:// URL without path'),
    isOptional: true,
    isSecret: true,
    description:
      'The proxy for everything that is asked by `https:` (providers, traces), by CONNECT; `http://user:password@proxy:3128` or `https://…`. Loopback is always reached directly. Also `https_proxy`.',
  },
  http: {
    env: 'HTTP_PROXY',
    schema: z.string().refine(isProxy, 'must be an http:// or https:// URL without path'),
    isOptional: true,
    isSecret: true,
    description: 'The same for `http:`, by CONNECT too. Also `http_proxy`.',
  },
  except: {
    env: 'NO_PROXY',
    schema: z.string(),
    isOptional: true,
    description:
      'Hosts that are reached directly, comma separated: `*`, `example.com` with all below it, `.example.com`, `*.example.com`, addresses and networks, each with `:port` or without. Also `no_proxy`.',
  },
} as const satisfies Settings;

function isProxy(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) return false;
  return url.pathname === '/' && url.search === '' && url.hash === '' && isDecodable(url);
}

function isDecodable({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    // A percent sign that escapes nothing.
    return false;
  }
}

/** Those variables that are set in lower case, by their name in upper case. */
export function withLowerCaseProxies(
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string | undefined>> {
  const found = Object.values(PROXY_SETTINGS).flatMap(({ env: name }) => {
    const value = env[name.toLowerCase()];
    return value ? [[name, value] as const] : [];
  });
  return { ...env, ...Object.fromEntries(found) };
}
