import { createHash } from 'node:crypto';
import type { ProviderAnswer } from '../../src/application/evidence/provider-answer.ts';
import type { Signals } from '../../src/domain/evidence.ts';
import type { HttpResponse } from '../../src/platform/http-client.ts';
import type {
  AnswerContext,
  ProviderDefinition,
  ProviderSettings,
  RequestToCompare,
} from '../../src/providers/definition.ts';

/** 2026-01-01T00:00:00Z. */
export const NOW_MS = 1_767_225_600_000;

/** A fixed moment, and a hash whose output shows nothing of its input. */
export const CONTEXT: AnswerContext = {
  nowMs: NOW_MS,
  hash: (value) => createHash('sha256').update(value).digest('hex'),
};

/** A request that tells neither its address nor its User-Agent. */
export const UNTOLD: RequestToCompare = { ip: undefined, userAgent: undefined, hash: CONTEXT.hash };

/** The hash that CONTEXT gives for a value. */
export const hashOf = CONTEXT.hash;

/** A JSON response. A string body is sent as it is. */
export function respond(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  };
}

/** Parses raw environment values with a provider's own schemas, defaults filled in. */
export function parseSettings(
  provider: ProviderDefinition,
  env: Readonly<Record<string, string>>,
): ProviderSettings {
  const settings: Record<string, string | number | undefined> = {};
  for (const [name, setting] of Object.entries(provider.settings)) {
    const raw = env[setting.env] ?? setting.default;
    if (raw !== undefined) settings[name] = setting.schema.parse(raw) as string | number;
  }
  return settings;
}

/** The outcome of an answer, with its failure where it has one: `unauthorized route_not_found`. */
export function summarise(answer: ProviderAnswer): string {
  return 'failure' in answer ? `${answer.outcome} ${answer.failure}` : answer.outcome;
}

/** The signals of an answer that must be settled. */
export function signalsOf(answer: ProviderAnswer): Signals {
  if ('failure' in answer) throw new Error(`Expected signals, got ${summarise(answer)}.`);
  return answer.signals;
}

/**
 * The signals after they were parsed by the provider's schema, which drops what it does not declare: equal to
 * the input exactly when every key is declared and fits.
 */
export function parseSignals(provider: ProviderDefinition, signals: Signals): unknown {
  return provider.signals.parse(signals);
}
