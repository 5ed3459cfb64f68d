import type { Logger } from 'pino';
import { createBlockAmbiguous } from '../application/block-ambiguous.ts';
import type { HoldToLimits } from '../application/callers/hold-to-limits.ts';
import type { Decide } from '../application/decide.ts';
import type { Clock } from '../application/ports.ts';
import type { SettledDecide } from '../application/settle-decision.ts';
import type { CompiledPolicy } from '../domain/policy/compile.ts';
import { createIsGateway } from '../gateways/authenticate-gateway.ts';
import { type CheckDependencies, createCheck } from '../gateways/check.ts';
import { startGrpcDoor } from '../gateways/envoy-grpc/start-door.ts';
import type { GatewayProfiles } from '../gateways/profile.ts';
import { createRefusalLog } from '../gateways/refusal-log.ts';
import { DIALECTS, indexDialects } from '../gateways/registry.ts';
import { createGatewayDoor, type GatewayDoor } from '../gateways/routes.ts';
import { findHolder, type Keyring } from '../http/callers/api-keys.ts';
import type { GrpcServer } from '../platform/grpc/server.ts';

interface GatewayWiring {
  readonly profiles: () => GatewayProfiles;
  readonly keyring: () => Keyring;
  readonly policy: () => CompiledPolicy;
  /** The ids of all providers, in registry order. */
  readonly providers: readonly string[];
  readonly decide: SettledDecide;
  /** Adds what follows every decision to a use case. */
  readonly settle: (decide: Decide) => SettledDecide;
  readonly overload: () => string | null;
  readonly observer: CheckDependencies['observer'];
  readonly holdToLimits: HoldToLimits;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly logger: Logger;
  readonly isDraining: () => boolean;
  /** Of a gateway's request. */
  readonly headerBytesMax: number;
}

/** The entrances of gateways. */
interface GatewayDoors {
  readonly door: GatewayDoor;
  /** The one over gRPC; null without a port for it. `isReady` says whether decisions can be answered. */
  startGrpc(port: number | null, isReady: () => boolean): Promise<GrpcServer | null>;
}

/** Wires the flow that every gateway takes, and its doors. Throws when a dialect's id will not do. */
export function wireGateways(wiring: GatewayWiring): GatewayDoors {
  const { keyring, clock, logger, isDraining, headerBytesMax } = wiring;
  const dialects = indexDialects(DIALECTS);
  if (!dialects.ok) throw new Error(dialects.mistakes.join('\n'));
  const noteRefusal = createRefusalLog(logger, () => clock.monotonicMs());
  const findKeyHolder = (key: string) => {
    const nowMs = clock.nowMs();
    const holder = findHolder(keyring(), key, 'decide', nowMs);
    if (holder !== null) holder.use.lastMs = nowMs;
    return holder;
  };
  const check = createCheck({
    ...wiring,
    blockAmbiguous: wiring.settle(createBlockAmbiguous(wiring)),
    findKeyHolder,
    noteRefusal,
  });
  const isGateway = createIsGateway(wiring.profiles, findKeyHolder);
  const grpc = { check, isGateway, noteRefusal, newId: wiring.newId, messageBytesMax: headerBytesMax };
  return {
    door: createGatewayDoor({ dialects: dialects.value, check, noteRefusal, isDraining, headerBytesMax }),
    startGrpc: (port, isReady) => startGrpcDoor(port, { ...grpc, isReady }),
  };
}
