import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { PROVIDERS } from '../src/providers/registry.ts';
import { toSerialText } from './load/job.ts';
import { API_KEY, COLD_DELAY_MS, type RunningVariant, toBody, WARM_IDS } from './variants.ts';

const decisionSchema = z.object({ decision: z.string() });

const START_WAIT_MS = 10_000;
/** Decisions do not wait for their writes to Redis. */
const PROBE_WAIT_MS = 2_000;

/** Waits until the service listens. */
export async function waitUntilAlive(port: number): Promise<void> {
  const deadlineMs = performance.now() + START_WAIT_MS;
  while (performance.now() < deadlineMs) {
    try {
      if ((await fetch(`http://127.0.0.1:${port}/livez`)).ok) return;
    } catch {
      // Nothing listens yet.
    }
    await delay(20);
  }
  throw new Error(`the service did not start in ${START_WAIT_MS} ms`);
}

/** The body of a warm decision. */
export async function readSample(port: number): Promise<string> {
  const ask = () => post(port, toBody(0, toSerialText(0)));
  await ask();
  return (await ask()).text();
}

/**
 * Fills the caches of a variant and asks once more: rejects unless it answers ALLOW with all evidence from
 * where it should come.
 */
export async function prime(variant: RunningVariant): Promise<void> {
  const isWarm = variant.origin === 'memory' || variant.origin === 'redis';
  if (isWarm) await fill(variant.port);
  const deadlineMs = performance.now() + PROBE_WAIT_MS;
  let mistake = await findMistake(variant);
  while (mistake !== null && performance.now() < deadlineMs) {
    await delay(50);
    mistake = await findMistake(variant);
  }
  if (mistake !== null) throw new Error(`the variant ${variant.id} is not what it says: ${mistake}`);
}

async function fill(port: number): Promise<void> {
  for (let place = 0; place < WARM_IDS.count; place += 1) {
    await (await post(port, toBody(0, toSerialText(WARM_IDS.first + place)))).text();
  }
}

let probes = 0;

async function findMistake({ origin, port }: RunningVariant): Promise<string | null> {
  // A number beyond those of the load, which begin at 0.
  const fresh = toBody(COLD_DELAY_MS, toSerialText(99_000_000 + ++probes));
  const response = await post(port, origin === 'miss' ? fresh : toBody(0, toSerialText(0)));
  const { decision } = decisionSchema.parse(await response.json());
  if (response.status !== 200 || decision !== 'ALLOW') return `status ${response.status}, ${decision}`;
  if (origin === null) return null;
  const timing = response.headers.get('server-timing') ?? '';
  const strays = PROVIDERS.filter(({ id }) => !timing.includes(`${id};desc=${origin};`));
  return strays.length === 0 ? null : `not from ${origin}: ${timing}`;
}

function post(port: number, body: string): Promise<Response> {
  const headers = { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' };
  return fetch(`http://127.0.0.1:${port}/v1/decide`, { method: 'POST', headers, body });
}
