export { createClient, type RiskgateClient } from './client.ts';
export { type FailureKind, RiskgateFailure } from './failure.ts';
export type {
  Answer,
  CallOptions,
  ClientOptions,
  Decision,
  Outcome,
  RiskEvent,
  Subject,
  Verdict,
} from './wire.ts';
