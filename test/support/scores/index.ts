import { z } from 'zod';
import { type SubjectPart, spellPart } from '../../../src/domain/subject.ts';
import { toPathSegment } from '../../../src/platform/percent-encoding.ts';
import {
  failureOfStatus,
  NOT_JSON,
  SCHEMA,
  SUBJECT_MISMATCH,
  toFailedAnswer,
  toSettledAnswer,
} from '../../../src/providers/answer.ts';
import { toSignals } from '../../../src/providers/declared-signals.ts';
import { defineProvider, type ProviderDefinition } from '../../../src/providers/definition.ts';
import { toReadNames } from '../../../src/providers/read-names.ts';
import { baseUrlSchema, credentialSchema } from '../../../src/providers/settings.ts';

const scoreSchema = z.object({ about: z.string(), score: z.int().min(0).max(100) });
const errorSchema = z.object({ error: z.string() });
const scoreSignals = z.object({
  found: z.boolean().describe('There is a score.'),
  score: z.number().int().optional().describe('From 0, harmless, to 100. Absent when not found.'),
});
const NOT_FOUND_SIGNALS = toSignals(scoreSignals, { found: false });

/** The smallest provider there can be: a score from 0 to 100 of one part of the subject. */
function createScoreProvider(id: string, subject: SubjectPart): ProviderDefinition {
  const prefix = id.toUpperCase();
  return defineProvider({
    id,
    title: `Scores of ${subject}`,
    subject,
    settings: {
      apiKey: {
        env: `${prefix}_API_KEY`,
        schema: credentialSchema,
        description: 'API key of the scores.',
        isCredential: true,
      },
      baseUrl: {
        env: `${prefix}_BASE_URL`,
        schema: baseUrlSchema,
        description: 'Base URL of the scores.',
        default: `https://scores.example/${id}`,
      },
    },
    ttlSeconds: { ok: 30, not_found: 5 },
    signals: scoreSignals,
    notFoundSignals: NOT_FOUND_SIGNALS,
    baseUrl: (settings) => settings.baseUrl,
    toRequest: (settings, query) => {
      const segment = toPathSegment(query.id);
      if (segment === null) return null;
      const authorization = `Bearer ${settings.apiKey}`;
      return {
        method: 'GET',
        path: `/scores/${segment}`,
        headers: { accept: 'application/json', authorization },
      };
    },
    body: {
      names: [toReadNames(scoreSchema), toReadNames(errorSchema)],
      successMembers: ['about', 'score'],
      errorMembers: ['error'],
    },
    toAnswer: (response, query, { nowMs }) => {
      const { status, json } = response;
      if (status === 404 && errorSchema.safeParse(json).data?.error === 'not_found')
        return toSettledAnswer('not_found', NOT_FOUND_SIGNALS, null);
      if (status !== 200) return toFailedAnswer(failureOfStatus(status), response, nowMs, null);
      if (json === undefined) return toFailedAnswer(NOT_JSON, response, nowMs, null);
      const { data } = scoreSchema.safeParse(json);
      if (data === undefined) return toFailedAnswer(SCHEMA, response, nowMs, null);
      if (spellPart(subject, data.about) !== query.id)
        return toFailedAnswer(SUBJECT_MISMATCH, response, nowMs, null);
      return toSettledAnswer('ok', toSignals(scoreSignals, { found: true, score: data.score }), null);
    },
    present: (signals) => signals,
    emulator: async () => (await import('./emulator.ts')).createScoreEmulator(id),
  });
}

/** Asked about the IP address. */
export const addressScore = createScoreProvider('address_score', 'ip');

/** Asked about the account. */
export const accountScore = createScoreProvider('account_score', 'account_id');
