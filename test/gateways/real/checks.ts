import type { Test } from 'tap';
import type { TcpProxy } from '../../support/tcp-proxy.ts';
import { type Application, type SeenRequest, valuesOf } from './application.ts';
import type { ClientAnswer, ClientRequest } from './browse.ts';

/** A gateway that runs, and what is around it. */
export interface RunningGateway {
  readonly port: number;
  readonly caches: boolean;
  readonly refusedMethods?: readonly string[];
  /** False where its recipe makes a plain request of an upgrade. */
  readonly opensWebSockets: boolean;
  readonly application: Application;
  /** Between the gateway and riskgate. */
  readonly proxy: TcpProxy;
  metrics(): Promise<string>;
  /** Tells riskgate what became of a decision, as a back end does. Resolves with the status. */
  report(decisionId: string, outcome: object): Promise<number>;
  stopService(): Promise<void>;
  startService(): Promise<void>;
}

/** What browsers ask before a request to another origin. */
export const PREFLIGHT = ['Origin', 'https://other.example', 'Access-Control-Request-Method', 'PUT'];

/** One request of a client, and its answer. */
export interface Seen {
  readonly answer: ClientAnswer;
  /** What the application saw of it; null where it was not let in. */
  readonly seen: SeenRequest | null;
}

export type Ask = (request?: ClientRequest) => Promise<Seen>;

/** Refused: not let in, with a status that says so, and the decision for whoever may read it. */
export function checkRefused(
  t: Test,
  { answer, seen }: Seen,
  status: number,
  decision: string,
  what: string,
): void {
  t.equal(seen, null, `${what}: is not let in`);
  t.equal(answer.status, status, what);
  t.equal(answer.headers['x-risk-decision'], decision, what);
  t.match(answer.headers['x-risk-decision-id'], /^(none|[0-9a-f-]{36})$/, what);
  t.equal(answer.headers['x-risk-reasons'], undefined, `${what}: the reasons are not for the client`);
}

/** Let in with one decision, whose three headers are ours alone. */
export function checkLetIn(t: Test, { answer, seen }: Seen, what: string, decision = 'ALLOW'): void {
  t.equal(answer.status, 200, what);
  if (seen === null) {
    t.fail(`${what}: is let in`);
    return;
  }
  t.strictSame(valuesOf(seen, 'x-risk-decision'), [decision], what);
  t.match(valuesOf(seen, 'x-risk-decision-id'), [/^(none|[0-9a-f-]{36})$/], what);
  t.match(valuesOf(seen, 'x-risk-reasons'), [/^[A-Z_,a-z]+$/], what);
  t.strictSame(valuesOf(seen, 'x-riskgate-key'), [], `${what}: the key stays with the gateway`);
}
