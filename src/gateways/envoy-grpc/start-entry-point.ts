import type { GrpcServer } from '../../platform/grpc/server.ts';
import type { GrpcEntryPointOptions } from './entry-point.ts';

/** The entry point over gRPC, or null without a port for it: then gRPC is not even loaded. */
export async function startGrpcEntryPoint(
  port: number | null,
  options: GrpcEntryPointOptions,
): Promise<GrpcServer | null> {
  if (port === null) return null;
  const { createGrpcEntryPoint } = await import('./entry-point.ts');
  return createGrpcEntryPoint(options);
}
