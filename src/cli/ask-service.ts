import { type CliContext, CommandFailure, EXIT_CODES } from './command.ts';

/** What a service is asked. */
interface ServiceQuestion {
  /** Where it is; its path is not read. */
  readonly url: string;
  /** The path, and what follows it. */
  readonly path: string;
  readonly method?: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** Sent as JSON; absent sends nothing. */
  readonly body?: unknown;
  /** What the key needs. */
  readonly scope: string;
}

/**
 * Asks a service, with the key in RISKGATE_API_KEY. Rejects with a `CommandFailure` where there is no key, and where
 * no answer comes.
 */
export async function askService(
  { url, path, method = 'GET', body, scope }: ServiceQuestion,
  env: CliContext['env'],
): Promise<Response> {
  const key = env['RISKGATE_API_KEY'];
  if (!key)
    throw new CommandFailure(
      'no_key',
      `RISKGATE_API_KEY is missing: a key with scope ${scope}`,
      EXIT_CODES.usage,
    );
  const address = toAddress(url, path);
  const headers = { 'x-api-key': key, ...(body !== undefined && { 'content-type': 'application/json' }) };
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await fetch(address, { method, headers, ...sent }).catch(() => null);
  if (response === null) throw new CommandFailure('unreachable', `${address.origin} does not answer`);
  return response;
}

function toAddress(url: string, path: string): URL {
  const address = URL.canParse(url) ? new URL(path, url) : null;
  if (address === null || !/^https?:$/.test(address.protocol))
    throw new CommandFailure('usage', '--url is no http:// or https:// URL', EXIT_CODES.usage);
  // `fetch` refuses them without a word of why.
  if (address.username !== '' || address.password !== '')
    throw new CommandFailure('usage', '--url must not hold a user or a password', EXIT_CODES.usage);
  return address;
}

/** That a service refuses: what it says of it, or the status alone. */
export async function toRefusal(response: Response): Promise<CommandFailure> {
  const told: unknown = await response.json().catch(() => null);
  const detail: unknown = typeof told === 'object' && told !== null ? Reflect.get(told, 'detail') : null;
  const why = typeof detail === 'string' ? `: ${detail}` : '';
  const first = `${new URL(response.url).origin} answers ${response.status}${why}`;
  return new CommandFailure('refused', [first, ...errorsOf(told).map((one) => `  ${one}`)].join('\n'));
}

/** What is wrong, one by one, as a problem document names it. */
function errorsOf(told: unknown): readonly string[] {
  const { errors } = Object(told) as { readonly errors?: unknown };
  if (!Array.isArray(errors)) return [];
  return errors.map((one: unknown) => String((Object(one) as { readonly detail?: unknown }).detail));
}
