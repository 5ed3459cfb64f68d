import { setTimeout as delay } from 'node:timers/promises';
import { LoadConnection } from '../../bench/load/connection.ts';

/** How one request of an open loop ended. */
export interface LoadAnswer {
  /** 0 when the connection failed. */
  readonly status: number;
  /** From the moment at which the request was due, whether or not it could be sent then. */
  readonly latencyMs: number;
  readonly dueMs: number;
  readonly message: string;
}

export interface OpenLoopOptions {
  readonly port: number;
  readonly connections: number;
  readonly perSecond: number;
  readonly seconds: number;
  /** The whole HTTP message of the request with this number. */
  readonly toRequest: (serial: number) => Buffer;
}

const TICK_MS = 5;

/**
 * Sends requests at a fixed rate, however slowly they are answered: a client who waits for answers before it
 * asks again cannot overload anybody. A request that finds every connection busy waits, and its wait counts.
 */
export async function runOpenLoop(options: OpenLoopOptions): Promise<readonly LoadAnswer[]> {
  const { port, perSecond, seconds, toRequest } = options;
  const idle = await Promise.all(
    Array.from({ length: options.connections }, () => LoadConnection.open(port)),
  );
  const all = [...idle];
  const answers: LoadAnswer[] = [];
  const waiting: number[] = [];
  const startMs = performance.now();
  const send = (connection: LoadConnection, serial: number): void => {
    const dueMs = (serial * 1000) / perSecond;
    connection.send(toRequest(serial), (response) => {
      const isError = response instanceof Error;
      answers.push({
        status: isError ? 0 : response.status,
        latencyMs: performance.now() - startMs - dueMs,
        dueMs,
        message: isError ? response.message : response.message.toString('latin1'),
      });
      const next = waiting.shift();
      if (next === undefined) idle.push(connection);
      else send(connection, next);
    });
  };
  const total = Math.floor(perSecond * seconds);
  let due = 0;
  while (due < total) {
    const dueNow = Math.min(total, Math.floor(((performance.now() - startMs) * perSecond) / 1000));
    for (; due < dueNow; due += 1) {
      const connection = idle.pop();
      if (connection === undefined) waiting.push(due);
      else send(connection, due);
    }
    await delay(TICK_MS);
  }
  const endsMs = performance.now() + 15_000;
  while (answers.length < total && performance.now() < endsMs) await delay(TICK_MS);
  for (const connection of all) connection.close();
  return answers;
}

/** The value that so many percent of the values do not exceed; 0 without values. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? 0;
}
