import { failure, type Result, success } from '../domain/result.ts';
import type { GatewayDialect } from './definition.ts';
import { envoy } from './envoy/index.ts';
import { forwardAuth } from './forward-auth/index.ts';
import { nginx } from './nginx/index.ts';

/** Every dialect over HTTP. */
export const DIALECTS: readonly GatewayDialect[] = [nginx, forwardAuth, envoy];

/** The id is used in paths, log lines and recipes. */
const ID = /^[a-z][a-z0-9-]{0,31}$/;

/** The dialects by id, or every reason to refuse them: an ill-formed or duplicate id. */
export function indexDialects(
  dialects: readonly GatewayDialect[],
): Result<ReadonlyMap<string, GatewayDialect>, string> {
  const ids = dialects.map(({ id }) => id);
  const mistakes = ids.flatMap((id, index) => [
    ...(ID.test(id) ? [] : [`Gateway dialect id "${id}" is not lower case of at most 32 characters.`]),
    ...(ids.indexOf(id) < index ? [`Gateway dialect id "${id}" is used twice.`] : []),
  ]);
  return mistakes.length > 0 ? failure(mistakes) : success(new Map(dialects.map((one) => [one.id, one])));
}
