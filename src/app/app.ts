import { randomUUIDv7 } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { createConcurrentRequests } from '../application/callers/concurrent-requests.ts';
import { createHoldToLimits } from '../application/callers/hold-to-limits.ts';
import { createCustody } from '../application/custody.ts';
import { createDecide, type Decide } from '../application/decide.ts';
import { rememberPolicies } from '../application/decision-log/known-policies.ts';
import { createRecordDecision } from '../application/decision-log/record-decision.ts';
import type { Clock } from '../application/ports.ts';
import { createPurgeEvidence } from '../application/purge-evidence.ts';
import { settleDecisions } from '../application/settle-decision.ts';
import type { Config } from '../config/config.ts';
import { loadAssets } from '../dashboard/assets.ts';
import { registerDashboard } from '../dashboard/routes.ts';
import { createAnswerOnce } from '../http/callers/idempotency.ts';
import { createTrafficLog } from '../http/callers/traffic-log.ts';
import { createServer } from '../http/server.ts';
import { measureCallers } from '../observers/caller-metrics.ts';
import { createCircuitStates } from '../observers/circuit-states.ts';
import { observeAll } from '../observers/fan-out.ts';
import { createLogObserver } from '../observers/log-observer.ts';
import { measureService } from '../observers/service-metrics.ts';
import { startTracer } from '../observers/start-tracer.ts';
import { systemClock } from '../platform/clock.ts';
import type { GrpcServer } from '../platform/grpc/server.ts';
import { createKeyedHash } from '../platform/keyed-hash.ts';
import type { ProviderDefinition } from '../providers/definition.ts';
import { checkProviders } from '../providers/registry.ts';
import type { SinkDefinition } from '../stores/decision-log/definition.ts';
import { checkSinks } from '../stores/decision-log/registry.ts';
import type { ConnectionHealth } from '../stores/redis/guard.ts';
import { judgeConnections } from '../stores/redis/inspector.ts';
import { createCallerStores } from './caller-stores.ts';
import { prepareClose } from './close-server.ts';
import { namesRedis, openDecisionLog } from './decision-log.ts';
import { openDecisionReads } from './decision-reads.ts';
import { followFiles } from './followed-files.ts';
import { wireGateways } from './gateway-door.ts';
import { createCustodyHashes } from './keyed-hashes.ts';
import { createOverloadGuard } from './overload.ts';
import { createProviderSlots } from './provider-slots.ts';
import { describeProblem, inspectInBackground } from './redis-inspection.ts';
import { readRedisTarget } from './redis-target.ts';
import { createStores } from './stores.ts';
import { warmUp } from './warm-up.ts';
import { warnOfDisabled } from './warn-of-disabled.ts';

/** Longer than whatever keeps a decided answer from being stored at once. */
const LOCK_MARGIN_MS = 5_000;
/** Longer than most deadlines; whatever a gateway still waits for then, its own timeout has ended. */
const GRPC_PATIENCE_MS = 5_000;

interface AppOptions {
  readonly config: Config;
  /** The registry; the configuration says which of them are enabled. */
  readonly providers: readonly ProviderDefinition[];
  /** The registry of the decision log's sinks, likewise. */
  readonly sinks: readonly SinkDefinition[];
  readonly logger: Logger;
  readonly version: string;
  readonly clock?: Clock;
  readonly newId?: () => string;
  readonly random?: () => number;
  /** Takes records for standard output; without it they go nowhere. */
  readonly write?: (text: string) => void;
}

/** The assembled service. */
export interface App {
  readonly server: FastifyInstance;
  /** The door for Envoy over gRPC; null where none is configured. Its owner lets it listen. */
  readonly grpc: Pick<GrpcServer, 'listen'> | null;
  /** Runs the code of a decision before anybody asks for one; asks nobody and keeps nothing. */
  warmUp(): Promise<void>;
  /** Makes /readyz answer 503 and every answer close its connection, so that load balancers and clients turn away before the listener closes. Requests are still decided. */
  drain(): void;
  /** Finishes what is in flight, then closes every connection, watch and pool. */
  close(): Promise<void>;
}

/** Wires the service. Rejects when a file that the configuration names cannot be used; see checkFiles for all mistakes beforehand. */
export async function createApp(options: AppOptions): Promise<App> {
  const {
    config,
    providers,
    sinks,
    logger,
    version,
    clock = systemClock,
    newId = randomUUIDv7,
    random = Math.random,
    write = () => {},
  } = options;
  for (const registry of [checkProviders(providers), checkSinks(sinks)])
    if (!registry.ok) throw new Error(registry.mistakes.join('\n'));
  const files = followFiles({ config, providers, logger, nowMs: () => clock.nowMs() });
  const policies = rememberPolicies(files.policy);
  const target = readRedisTarget(config.redis);
  const stores = createStores(config, target, clock, logger, (code) => inspector.recheck(code));
  const { evidence: store, custody: custodyStore } = stores;
  // All that are in use, once they are there.
  let connections = (): readonly ConnectionHealth[] => [store.health()];
  const inspector = inspectInBackground(target, namesRedis(config, sinks), () => connections(), logger);
  const redisState = () => (target === null ? 'absent' : judgeConnections(connections()).state);
  const enabled = config.providers.filter(({ isEnabled }) => isEnabled).map(({ id }) => id);
  const log = await openDecisionLog({
    config,
    sinks,
    target,
    clock,
    newId,
    logger,
    version,
    write,
    onRefused: (code) => inspector.recheck(code),
  });
  const callerStores = createCallerStores({
    clock,
    target,
    redisTimeoutMs: config.redisTimeoutMs,
    logger,
    onRefused: (code) => inspector.recheck(code),
  });
  connections = () =>
    [store.health(), callerStores.health(), log?.health() ?? null].filter((health) => health !== null);
  const strictSinks = () =>
    (log?.strict ?? []).map((delivery) => ({ sink: delivery.sink, health: delivery.health() }));
  const state = {
    version,
    policy: files.policy,
    redisState,
    storeUsage: () => store.usage(),
    files: files.statuses,
    logUsage: () => log?.usage() ?? [],
  };
  const measured = config.isMeasured ? measureService(enabled, state) : null;
  const circuits = createCircuitStates();
  const observers = [createLogObserver(logger), circuits.observer, ...(measured ? [measured.observer] : [])];
  const observer = observeAll(observers);
  const tracer = await startTracer(config, version, logger);
  const { slots, close: closeClients } = createProviderSlots({
    config,
    providers,
    store,
    clock,
    observer,
    random,
  });
  if (config.isInsecureAllowed) logger.warn({ event: 'service.insecure' }, 'secrets are not checked: a demo');
  warnOfDisabled(files.policy(), slots, logger);
  const decide = createDecide({
    slots,
    policy: policies.current,
    custody: createCustody({
      slots,
      store: custodyStore,
      hashes: createCustodyHashes(config.idHashKeys),
      clock,
      observer,
    }),
    clock,
    newId,
    deadlineMs: config.decisionDeadlineMs,
    tracer,
  });
  const traffic = createTrafficLog(logger, clock);
  const answerOnce = createAnswerOnce({
    store: callerStores.idempotency,
    hashes: config.idHashKeys.map((key) => createKeyedHash(key, 'idempotency', 1)),
    newId,
    ttlMs: config.idempotencyTtlMs,
    lockMs: config.decisionDeadlineMs + LOCK_MARGIN_MS,
    traffic,
  });
  const record = log === null ? null : createRecordDecision(log);
  const settle = (unsettled: Decide) => settleDecisions(unsettled, { record, observer });
  const guarded = createOverloadGuard({ ...config, decide: settle(decide), random, logger });
  const reads = log === null ? null : openDecisionReads({ log, clock, policies, slots });
  let isDraining = false;
  const holdToLimits = createHoldToLimits(callerStores.requestCounter, createConcurrentRequests());
  const gateways = wireGateways({
    ...guarded,
    settle,
    profiles: files.profiles,
    keyring: files.keyring,
    policy: files.policy,
    providers: providers.map(({ id }) => id),
    observer,
    holdToLimits,
    clock,
    newId,
    logger,
    isDraining: () => isDraining,
    headerBytesMax: config.gatewayHeaderBytesMax,
  });
  const server = await createServer({
    logger,
    version,
    newId,
    keyring: files.keyring,
    policy: files.policy,
    slots,
    circuitOf: circuits.circuitOf,
    reads,
    decide: guarded.decide,
    answerOnce,
    overload: guarded.overload,
    isStrained: guarded.isStrained,
    clock,
    wrongKeysMax: config.wrongKeysMax,
    holdToLimits,
    door: gateways.door,
    keepAliveMs: config.keepAliveMs,
    connectionsMax: config.connectionsMax,
    traffic,
    observer,
    metrics: measured?.metrics ?? null,
    callerMetrics: measured ? measureCallers(() => files.keyring().uses()) : null,
    purge: createPurgeEvidence(slots, store),
    providers: providers.map(({ id }) => id),
    deviceProviders: providers.filter(({ subject }) => subject === 'device_id').map(({ id }) => id),
    enabledProviders: slots.filter(({ source }) => source !== null).map(({ id }) => id),
    redisState,
    redisProblem: () =>
      describeProblem(inspector, judgeConnections(connections())) ?? stores.custodyProblem(),
    receivesPurges: () => (config.redis === null ? null : store.health().receivesPurges),
    suspectProviders: () => slots.filter(({ source }) => source?.isSuspect()).map(({ id }) => id),
    strictSinks,
    filesDiffering: () => files.statuses().flatMap(({ file, isCurrent }) => (isCurrent ? [] : [file])),
    isDraining: () => isDraining,
  });
  if (config.isDashboardServed) await server.register(registerDashboard, { assets: loadAssets() });
  const closeServer = prepareClose(server);
  const grpc = await gateways.startGrpc(config.grpcPort, () =>
    strictSinks().every(({ health }) => health !== 'unready'),
  );
  const close = async (): Promise<void> => {
    reads?.streams.drain();
    await Promise.all([closeServer(), grpc?.close(GRPC_PATIENCE_MS)]);
    await log?.close();
    guarded.stop();
    inspector.close();
    files.close();
    measured?.close();
    await Promise.all([stores.close(), callerStores.close(), tracer?.close(), closeClients()]);
  };
  return {
    server,
    grpc,
    warmUp: () => warmUp({ slots, policy: files.policy, clock, newId }),
    drain: () => {
      isDraining = true;
      grpc?.drain();
      reads?.streams.drain();
    },
    close,
  };
}
