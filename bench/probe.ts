import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { PROVIDERS } from '../src/providers/registry.ts';
import { toSerialText } from './load/job.ts';
import { API_KEY, COLD_DELAY_MS, type RunningVariant, toBody } from './variants.ts';

const decisionSchema = z.object({ decision: z.string() });

/** A machine that does other things too takes long to load everything. */
const START_WAIT_MS = 60_000;
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

const explainedSchema = z.object({
  explanation: z.object({ signals: z.record(z.string(), z.unknown()) }),
});

/** What the service knows of a subject: the signals of a warm decision, by variable. */
export async function readSignals(port: number): Promise<Readonly<Record<string, unknown>>> {
  const ask = () => post(port, toBody(0, toSerialText(0)), '?explain=full');
  await ask();
  return explainedSchema.parse(await (await ask()).json()).explanation.signals;
}

/**
 * Fills the caches of a variant and asks once more: rejects unless it answers ALLOW with all evidence from
 * where it should come.
 */
export async function prime(variant: RunningVariant): Promise<void> {
  const isWarm = variant.origin === 'memory' || variant.origin === 'redis';
  if (isWarm) await fillCaches(variant);
  const deadlineMs = performance.now() + PROBE_WAIT_MS;
  let mistake = await findMistake(variant);
  while (mistake !== null && performance.now() < deadlineMs) {
    await delay(50);
    mistake = await findMistake(variant);
  }
  if (mistake !== null) throw new Error(`the variant ${variant.id} is not what it says: ${mistake}`);
}

/** At once, so that the service and the emulators are busy at the same time. */
const FILLERS = 16;

/** Asks about each subject of a variant once. */
export async function fillCaches({ port, serials }: Pick<RunningVariant, 'port' | 'serials'>): Promise<void> {
  let next = serials.first;
  const work = async () => {
    while (next < serials.first + serials.count) {
      const serial = next;
      next += 1;
      await (await post(port, toBody(0, toSerialText(serial)))).text();
    }
  };
  await Promise.all(Array.from({ length: FILLERS }, work));
}

let probes = 0;

async function findMistake({ origin, port, peerSignals }: RunningVariant): Promise<string | null> {
  // The load generator looks at each of its answers.
  if (peerSignals !== undefined) return null;
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

function post(port: number, body: string, query = ''): Promise<Response> {
  const headers = { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' };
  return fetch(`http://127.0.0.1:${port}/v1/decide${query}`, { method: 'POST', headers, body });
}
