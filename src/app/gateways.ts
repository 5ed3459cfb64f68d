import { createBlockAmbiguous } from '../application/block-ambiguous.ts';
import type { HoldToLimits } from '../application/callers/hold-to-limits.ts';
import type { Clock } from '../application/clock.ts';
import type { Decide } from '../application/decide.ts';
import type { ProviderSlot } from '../application/evidence/gather-evidence.ts';
import type { SettledDecide } from '../application/settle-decision.ts';
import type { CompiledPolicy } from '../domain/policy/compile.ts';
import { createIsGateway, type FindKeyHolder } from '../gateways/authenticate-gateway.ts';
import { type CheckDependencies, createCheck } from '../gateways/check.ts';
import { createGatewayEntryPoint, type GatewayEntryPoint } from '../gateways/entry-point.ts';
import { startGrpcEntryPoint } from '../gateways/envoy-grpc/start-entry-point.ts';
import type { GatewayProfiles } from '../gateways/profile.ts';
import { createRefusalLog } from '../gateways/refusal-log.ts';
import { DIALECTS, indexDialects } from '../gateways/registry.ts';
import type { GatewayDependencies } from '../gateways/routes.ts';
import { findHolder, type Keyring } from '../http/callers/api-keys.ts';
import { rememberHolders } from '../http/callers/known-holders.ts';
import type { GrpcServer } from '../platform/grpc/server.ts';
import type { AppContext } from './context.ts';

interface GatewayParts {
  readonly slots: readonly ProviderSlot[];
  readonly profiles: () => GatewayProfiles;
  readonly keyring: () => Keyring;
  readonly policy: () => CompiledPolicy;
  readonly decide: SettledDecide;
  /** Adds what follows every decision to a use case. */
  readonly settle: (decide: Decide) => SettledDecide;
  readonly overload: () => string | null;
  readonly observer: CheckDependencies['observer'];
  readonly holdToLimits: HoldToLimits;
  readonly isDraining: () => boolean;
}

/** The entry points of gateways. */
interface Gateways {
  /** What the server knows of their requests before the routes do. */
  readonly entryPoint: GatewayEntryPoint;
  readonly routes: GatewayDependencies;
  /** The one over gRPC; null without a port for it. `isReady` says whether decisions can be answered. */
  startGrpc(isReady: () => boolean): Promise<GrpcServer | null>;
}

/** Wires the flow that every gateway takes. Throws when a dialect's id will not do. */
export function wireGateways(context: AppContext, parts: GatewayParts): Gateways {
  const { clock, logger, newId, config } = context;
  const { keyring, profiles, isDraining } = parts;
  const { grpcPort, gatewayHeaderBytesMax: headerBytesMax, decisionLog } = config;
  const dialects = indexDialects(DIALECTS);
  if (!dialects.ok) throw new Error(dialects.mistakes.join('\n'));
  const noteRefusal = createRefusalLog(logger, () => clock.monotonicMs());
  const findKeyHolder = createFindKeyHolder(keyring, clock);
  const blockAmbiguous = createBlockAmbiguous({ ...context, ...parts });
  const check = createCheck({
    ...parts,
    clock,
    logger,
    blockAmbiguous: parts.settle(blockAmbiguous),
    findKeyHolder,
    noteRefusal,
  });
  const isGateway = createIsGateway(profiles, findKeyHolder);
  const recordWaitMs = decisionLog.delivery === 'strict' ? decisionLog.timeoutMs : 0;
  const grpc = { check, isGateway, noteRefusal, newId, messageBytesMax: headerBytesMax, recordWaitMs };
  return {
    entryPoint: createGatewayEntryPoint({ noteRefusal, headerBytesMax }),
    routes: { dialects: dialects.value, check, noteRefusal, isDraining, headerBytesMax },
    startGrpc: (isReady) => startGrpcEntryPoint(grpcPort, { ...grpc, isReady }),
  };
}

function createFindKeyHolder(keyring: () => Keyring, clock: Clock): FindKeyHolder {
  const holders = rememberHolders(keyring);
  return (key) => {
    const nowMs = clock.nowMs();
    const holder = findHolder(holders, key, 'decide', nowMs);
    if (holder !== null) holder.use.lastMs = nowMs;
    return holder;
  };
}
