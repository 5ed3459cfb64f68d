import type { GrpcServer } from '../../platform/grpc/server.ts';
import type { GrpcDoorOptions } from './door.ts';

/** The gRPC door, or null without a port for it: then gRPC is not even loaded. */
export async function startGrpcDoor(
  port: number | null,
  options: GrpcDoorOptions,
): Promise<GrpcServer | null> {
  if (port === null) return null;
  const { createGrpcDoor } = await import('./door.ts');
  return createGrpcDoor(options);
}
