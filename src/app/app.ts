import type { FastifyInstance } from 'fastify';
import type { Candidates } from '../application/candidates/candidates.ts';
import type { DeliveryUsage } from '../application/decision-log/decision-log.ts';
import type { ReportOutcome } from '../application/decision-log/report-outcome.ts';
import type { SettledDecide } from '../application/settle-decision.ts';
import type { Config } from '../config/config.ts';
import { startTracer } from '../observers/start-tracer.ts';
import type { GrpcServer } from '../platform/grpc/server.ts';
import { prepareAlerts } from './alerts.ts';
import { wireCallers } from './callers.ts';
import { PATIENCE_MS } from './close-server.ts';
import { type AppContext, type AppOptions, toContext } from './context.ts';
import { wireDecideRoutes } from './decide-routes.ts';
import { type DecisionLog, openDecisionLog } from './decision-log.ts';
import { wireDecisions } from './decisions.ts';
import type { FollowedFiles } from './followed-files.ts';
import { wireGateways } from './gateways.ts';
import { canRecord, createReadiness } from './health.ts';
import { hashIdsOf } from './id-hashes.ts';
import { keepPolicies } from './kept-policies.ts';
import { wireLogReads } from './log-reads.ts';
import { createObservers } from './observers.ts';
import { openPolicies } from './open-policies.ts';
import { createProviderSlots } from './provider-slots.ts';
import type { RedisInUse } from './redis.ts';
import { openServer } from './server.ts';
import { openStores } from './stores.ts';
import { wireSubjectMemory } from './subject-memory.ts';
import { warmUp } from './warm-up.ts';
import { warnAtStart } from './warn-at-start.ts';
import { openWebhooks } from './webhooks.ts';

/** What a caller can ask for, behind authentication and limits of callers. */
interface UseCases {
  readonly decide: SettledDecide;
  /** Null without a decision log. */
  readonly reportOutcome: ReportOutcome | null;
  /** Of each sink of the decision log. */
  readonly logUsage: () => readonly DeliveryUsage[];
}

/** The assembled service. */
export interface App {
  readonly server: FastifyInstance;
  /** The entry point for Envoy over gRPC; null where none is configured. Its owner lets it listen. */
  readonly grpc: Pick<GrpcServer, 'listen'> | null;
  /** What the routes call, for a program that asks in the same process. */
  readonly useCases: UseCases;
  /**
   * Before the first request: connects to the providers, and runs the code of a decision, which calls none
   * and keeps nothing. Takes about a second at most, whatever a provider does.
   */
  warmUp(): Promise<void>;
  /**
   * Makes /readyz answer 503 and every answer close its connection, so that load balancers and clients turn
   * away before the listener closes. Requests are still decided.
   */
  drain(): void;
  /** Finishes what is in flight, then closes every connection, watch and pool. */
  close(): Promise<void>;
  /** Logs how many records are lost when the process ends now, before it has closed. */
  abandon(): void;
}

/**
 * Wires the service. Rejects when a file that the configuration names cannot be used; see checkFiles for all
 * mistakes beforehand.
 */
export async function createApp(options: AppOptions): Promise<App> {
  const context = toContext(options);
  const { config, logger, version, clock } = context;
  const { isDraining, beginDraining } = createDraining();
  const { files, redis, ...opened } = await openPolicies(context);
  const stores = await openStores(context, redis);
  const callers = wireCallers(context, redis, files.keyring);
  const records = await openRecords(context, redis, files.policy);
  const webhooks = openWebhooks(context, redis);
  const alerting = prepareAlerts(context);
  const observers = createObservers(context, { files, redis, stores, webhooks, alerting, ...records });
  const tracer = await startTracer(config, version, logger);
  const { slots, ...upstreams } = createProviderSlots(context, { ...records, stores, ...observers });
  warnAtStart(context, files.policy(), slots);
  const parts = { ...files, ...observers, ...alerting, ...records, webhooks, slots, stores, tracer };
  const memory = await wireSubjectMemory(context, parts);
  const decisions = wireDecisions(context, { ...opened, ...parts, ...memory });
  const changes = opened.wire(parts);
  const gateways = wireGateways(context, { ...parts, ...decisions, ...callers, isDraining });
  const reads = await wireLogReads(context, { ...parts, ...memory, ...opened, redis });
  const watched = alerting.watch({ ...opened, ...parts, files, redis, ...reads });
  const { server, close: closeServer } = await openServer(
    context,
    { gateways: gateways.entryPoint, ...observers, isDraining },
    {
      health: { version, readiness: createReadiness({ ...parts, files, redis, isDraining }) },
      ...observers,
      gateways: gateways.routes,
      sessions: callers.signIn,
      protect: { ...decisions, ...callers, ...boundsOf(config), keyring: files.keyring, clock },
      ...wireDecideRoutes(context, { ...parts, ...decisions, ...callers, isDraining }),
      policy: { policy: files.policy, slots },
      ...changes.routes,
      ...memory.routes,
      ...reads.routes,
      providers: { slots, ...observers },
      alerts: watched,
    },
  );
  const grpc = await gateways.startGrpc(() => canRecord(records.log));
  return {
    server,
    grpc,
    useCases: toUseCases(decisions, reads, records.log),
    warmUp: () => warmUp({ ...context, policy: files.policy, connect: upstreams.connect }),
    drain: () => {
      beginDraining();
      grpc?.drain();
      reads.drain();
    },
    abandon: () => abandonRecords(decisions.candidates, records.log),
    close: async () => {
      reads.close();
      await Promise.all([closeServer(), grpc?.close(PATIENCE_MS), memory.close(), changes.close()]);
      await closeRecords(decisions.candidates, records.log);
      for (const part of [decisions, redis, files, observers]) part.close();
      await closeAll(opened, watched, reads.review, stores, callers, upstreams, tracer);
    },
  };
}

/** Whether the service turns requests away. It does not turn back. */
function createDraining() {
  let isBegun = false;
  const beginDraining = () => {
    isBegun = true;
  };
  return { isDraining: () => isBegun, beginDraining };
}

function toUseCases(
  { decide }: Pick<UseCases, 'decide'>,
  { reportOutcome }: Pick<UseCases, 'reportOutcome'>,
  log: DecisionLog | null,
): UseCases {
  return { decide, reportOutcome, logUsage: () => log?.usage() ?? [] };
}

/** The log, the hashes that it writes with, and the policies that its records were made by. */
async function openRecords(context: AppContext, redis: RedisInUse, inForce: FollowedFiles['policy']) {
  const hashes = hashIdsOf(context);
  const log = await openDecisionLog({ ...context, hashes, target: redis.target, onRefused: redis.recheck });
  if (log !== null) redis.watch(log.health);
  return { hashes, log, policies: keepPolicies({ inForce, providers: context.providers, log }) };
}

async function closeAll(...parts: readonly ({ close(): Promise<void> } | null)[]): Promise<void> {
  await Promise.all(parts.map(async (part) => part?.close()));
}

/** Records that wait for their candidates come first. */
async function closeRecords(candidates: Candidates | null, log: DecisionLog | null): Promise<void> {
  await candidates?.drain();
  await log?.close();
}

function abandonRecords(candidates: Candidates | null, log: DecisionLog | null): void {
  candidates?.flush();
  log?.abandon();
}

function boundsOf({
  wrongKeysMax,
  readsConcurrent,
  hasTestIds,
}: Pick<Config, 'wrongKeysMax' | 'readsConcurrent' | 'hasTestIds'>) {
  return { wrongKeysMax, readsConcurrent, hasTestIds };
}
