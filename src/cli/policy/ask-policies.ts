import { askService, toRefusal } from '../ask-service.ts';
import { type CliContext, CommandFailure, EXIT_CODES } from '../command.ts';

/** A policy that came into force, as a service tells it. */
interface ToldEntry {
  readonly id: string;
  readonly hash: string;
  readonly since: string;
  readonly why: string;
  readonly by: string | null;
  readonly previous_hash: string | null;
}

/** What a service answers of policies. Rejects with a `CommandFailure` where it refuses. */
export async function askPolicies<Body>(
  path: string,
  method: 'GET' | 'POST' | 'DELETE',
  url: unknown,
  env: CliContext['env'],
): Promise<Body> {
  const scope = method === 'GET' ? 'read' : 'admin';
  const response = await askService({ url: String(url), path: `/v1/policies/${path}`, method, scope }, env);
  if (response.status === 404)
    throw new CommandFailure('unknown_policy', await detailOf(response), EXIT_CODES.usage);
  if (response.status !== 200) throw await toRefusal(response);
  const told: unknown = await response.json().catch(() => null);
  if (typeof told !== 'object' || told === null)
    throw new CommandFailure('refused', `${new URL(response.url).origin} answers with what is no JSON`);
  // The shape is that of openapi/openapi.json.
  return told as Body;
}

/** The hash of a policy; a mistake of usage where it is none. */
export function toHash(text: string | undefined): string {
  if (!/^sha256:[0-9a-f]{64}$/.test(text ?? ''))
    throw new CommandFailure('usage', 'a hash is sha256: and 64 hexadecimal digits', EXIT_CODES.usage);
  return String(text);
}

/** One line for one policy. */
export function toEntryLine({ id, hash, since, why, by }: ToldEntry): string {
  return `${since}  ${why.padEnd(11)}  ${hash}  ${id}${by === null ? '' : `  by ${by}`}`;
}

async function detailOf(response: Response): Promise<string> {
  return (await toRefusal(response)).message;
}
