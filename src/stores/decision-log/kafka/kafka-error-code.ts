/** Codes of the client that say less than what caused them. */
const GENERAL = /^PLT_KFK_/;

/**
 * What an operator can look up of an error of the client: Kafka's own name of it (`NOT_ENOUGH_REPLICAS`), or
 * the code of the system or of TLS (`ECONNREFUSED`). The message is left out: it may hold anything.
 */
export function toKafkaErrorCode(error: unknown): string {
  return findCode(error) ?? 'ERROR';
}

function findCode(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  const name: unknown = Reflect.get(error, 'apiId');
  if (typeof name === 'string') return name;
  const inner: readonly unknown[] = error instanceof AggregateError ? error.errors : [];
  for (const one of [...inner, error.cause]) {
    const code = findCode(one);
    if (code !== null && !GENERAL.test(code)) return code;
  }
  const code: unknown = Reflect.get(error, 'code');
  return typeof code === 'string' ? code : null;
}
