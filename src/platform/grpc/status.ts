/** The codes of gRPC (https://grpc.github.io/grpc/core/md_doc_statuscodes.html) that are answered here. */
export const GRPC_STATUS = {
  ok: 0,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;

/** A status code of gRPC. */
export type GrpcStatus = (typeof GRPC_STATUS)[keyof typeof GRPC_STATUS];
