import type { FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import type { DecisionLogReader } from '../../application/decision-log/decision-log.ts';
import { groupWindow } from '../../application/decision-log/group-window.ts';
import { planWindow, type StatsWindow, windowBefore } from '../../application/decision-log/plan-window.ts';
import { type DecisionStats, summariseCounts } from '../../application/decision-log/summarise-counts.ts';
import type { GroupKey } from '../../domain/decision-log/group-keys.ts';
import { STATS_GROUPS } from '../../domain/decision-log/record-counts.ts';
import type { RecordFilter } from '../../domain/decision-log/record-filter.ts';
import { RiskgateError } from '../../domain/errors.ts';
import { toRfc3339 } from '../../platform/rfc3339.ts';
import type { DecisionReadDependencies, DecisionReads } from '../decision-log/decision-reads.ts';
import { sendTagged } from '../decision-log/entity-tag.ts';
import { whileConnected } from '../decision-log/while-connected.ts';
import { handlerFor, type RouteGroupOptions } from '../route-group.ts';
import { toRecordFilter } from '../schemas/decision-filter.ts';
import { toJsonSchema } from '../schemas/json-schema.ts';
import { NOT_MODIFIED, problemResponses, TAG_HEADERS, TAG_REQUEST_HEADERS } from '../schemas/responses.ts';
import {
  type CountedStats,
  type StatsQuery,
  statsQuerySchema,
  statsSchema,
  toDurationMs,
  toGroupKeys,
  toStatsBody,
} from '../schemas/stats.ts';

/** What is asked of one window, or of two. */
interface StatsQuestion {
  readonly window: StatsWindow;
  readonly filter: RecordFilter;
  readonly by: readonly GroupKey[];
  readonly isCompared: boolean;
  readonly isDistinct: boolean;
}

/** GET /v1/stats: counts and latencies, from counters where nothing is filtered. */
export const statsRoutes = plugin<RouteGroupOptions<DecisionReadDependencies>>(
  async (app, { serve }) => {
    const schema = {
      summary: 'Counts and latencies of decisions',
      description:
        'Of all decisions of a window, or of those that fit filters; by one group or by two; compared with the window before. Without filters they are counted when decisions are recorded: the answer costs the same whether there were a hundred or a hundred million. Minutes are kept for 24 hours, hours for longer; a history keeps both for as long as its records. Precision of rules comes from the outcomes that were reported.',
      operationId: 'getStats',
      tags: ['decisions'],
      querystring: toJsonSchema(statsQuerySchema, 'input'),
      headers: TAG_REQUEST_HEADERS,
      response: {
        200: { description: 'The counts.', headers: TAG_HEADERS, ...toJsonSchema(statsSchema, 'output') },
        304: NOT_MODIFIED,
        ...problemResponses(400, 401, 403, 429, 500, 503),
      },
    };
    const route = { schema, config: { scope: 'read' as const, readsLog: 'briefly' as const } };
    app.get('/v1/stats', route, handlerFor(serve, createStats));
  },
  { name: 'stats-routes' },
);

function createStats(dependencies: DecisionReadDependencies) {
  const { reads, version, newId } = dependencies;
  const tagOptions = { reader: reads.log, engine: version, newId };
  return (request: FastifyRequest<{ Querystring: StatsQuery }>, reply: Parameters<typeof sendTagged>[1]) => {
    const question = toQuestion(request.query, dependencies);
    return sendTagged(request, reply, tagOptions, ['stats', question], async () => {
      const asked = { reads, log: reads.logWhile(whileConnected(reply)), question };
      const { counted, version: known } = await count(asked, question.window);
      const previous = question.isCompared
        ? (await count(asked, windowBefore(question.window))).counted
        : null;
      const body = toStatsBody(counted, previous, question.by);
      return known === undefined || previous !== null ? { body } : { body, version: known };
    });
  };
}

function toQuestion(query: StatsQuery, { reads, clock }: DecisionReadDependencies): StatsQuestion {
  const { window, step, group_by: groupBy, compare, distinct, ...rest } = query;
  const { since, until, ...filter } = toRecordFilter(rest, reads.hashes);
  const by = toGroupKeys(groupBy);
  if (by[0] === by[1]) throw refused([{ field: 'group_by', detail: 'names the same group twice' }]);
  const planned = planWindow(
    {
      windowMs: window === undefined ? null : toDurationMs(window),
      sinceMs: since === undefined ? null : Date.parse(since),
      untilMs: until === undefined ? null : Date.parse(until),
      stepMs: step === undefined ? null : toDurationMs(step),
      isCompared: compare === 'previous',
    },
    clock.nowMs(),
    reads.log.minutesKeptMs,
  );
  if (!planned.ok) throw refused(planned.mistakes);
  const isCompared = compare === 'previous';
  return { window: planned.value, filter, by, isCompared, isDistinct: distinct === 'true' };
}

interface AskedStats {
  readonly reads: DecisionReads;
  /** For this answer alone. */
  readonly log: DecisionLogReader;
  readonly question: StatsQuestion;
}

/** `version` is absent where the log may have changed since it was read. */
async function count(
  { reads, log, question: { filter, by, isDistinct } }: AskedStats,
  window: StatsWindow,
): Promise<{ readonly counted: CountedStats; readonly version?: string | null }> {
  const span = { since: toRfc3339(window.sinceMs), until: toRfc3339(window.untilMs) };
  const distinct = isDistinct ? await log.distinct({ ...filter, ...span }) : null;
  const group = STATS_GROUPS.find((name) => name === by[0]);
  if (group === undefined || by.length > 1 || Object.keys(filter).length > 0) {
    const options = { reader: log, formatTime: toRfc3339 };
    const stats: DecisionStats = await groupWindow(options, window, filter, by);
    return { counted: { window, stats, distinct } };
  }
  const counted = await reads.countSteps(window);
  const stats = summariseCounts(counted, window, group);
  const found = { counted: { window, stats, distinct } };
  return isDistinct ? found : { ...found, version: counted.version };
}

function refused(mistakes: readonly { readonly field: string; readonly detail: string }[]): RiskgateError {
  const fields = mistakes.map(({ field, detail }) => ({ pointer: field, detail }));
  return new RiskgateError('invalid_request', 'A window that cannot be counted.', { fields });
}
