/**
 * How soon replicas agree on a policy: two services on one real Redis. One promotes and restores in turn; the other
 * is asked for decisions all the time. Prints how long after the request, and after its answer, the other made its
 * first decision by the new policy. Ends with 1 where an answer is not of one of the two policies as a whole, or where
 * the former one answers what was asked after the new one had answered.
 *
 *   node bench/policy-agreement.ts [--changes=50] [--callers=2]
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { startRedisServer } from '../test/support/redis-server.ts';
import {
  askForDecision,
  createServiceEnvironment,
  SERVICE_KEY,
  startService,
} from '../test/support/start-service.ts';
import { readMachine, toMachineLines } from './machine-report.ts';
import { BenchProcesses } from './processes.ts';
import { quantile } from './statistics.ts';

/** A change that no other follows within this time was not obeyed. */
const OBEYED_WITHIN_MS = 10_000;
/** So long decisions go on after a change, and before the next. */
const SETTLED_MS = 300;
/** Nothing is asked of any provider. */
const NOWHERE = 'http://127.0.0.1:9';

/** Each has a verdict and a reason of its own; a candidate passes once it has judged anything. */
const policyText = (verdict: string) => `policy: agreed
promotion:
  min_decisions: 1
  min_hours: 1
  tests: optional
  max_new_blocks: 100%
  max_new_challenges: 100%
  max_new_allows: 100%
  max_not_judged: 100%
otherwise: ALLOW
rules:
  - { id: the-rule, when: 'request.action == "login"', verdict: ${verdict}, reason: REASON_OF_${verdict} }
`;

const answerSchema = z.object({
  decision: z.string(),
  reasons: z.array(z.object({ code: z.string() })),
  policy: z.object({ hash: z.string() }),
});

/** An answer of the other service: when it was asked for and came, milliseconds of this process, and what it says. */
interface Seen {
  readonly askedMs: number;
  readonly cameMs: number;
  readonly hash: string;
  readonly says: string;
}

interface Changed {
  readonly askedMs: number;
  readonly answeredMs: number;
  readonly firstMs: number;
}

const { values } = parseArgs({
  options: { changes: { type: 'string', default: '50' }, callers: { type: 'string', default: '2' } },
});
const processes = new BenchProcesses();
try {
  await run(Number(values.changes), Number(values.callers));
} finally {
  await processes.end();
}

async function run(changes: number, callers: number): Promise<void> {
  const before = readMachine();
  const redis = await startRedisServer(processes);
  const directory = mkdtempSync(join(tmpdir(), 'riskgate-agreement-'));
  processes.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'policy.yaml');
  writeFileSync(file, policyText('CHALLENGE'));
  const env = {
    ...createServiceEnvironment(processes, NOWHERE),
    POLICY_FILE: file,
    REDIS_URL: redis.url,
    REDIS_TIMEOUT_MS: '1000',
    DECISION_LOG: 'redis',
  };
  const changing = await startService(processes, env);
  const other = await startService(processes, env);
  const ask = (path: string, method: string, body?: object) => askFor(changing.origin, path, method, body);

  const former = (await decide(other.origin)).hash;
  const { candidate } = await ask('agreed/candidate', 'PUT', { policy: policyText('BLOCK') });
  const next = z.object({ hash: z.string() }).parse(candidate).hash;
  await decide(changing.origin);
  // Until what it has judged is in the log.
  while ((await ask('agreed/promotion', 'GET'))['passed'] !== true) await delay(100);

  const seen: Seen[] = [];
  let isOver = false;
  const calling = Array.from({ length: callers }, async () => {
    while (!isOver) {
      seen.push(await decide(other.origin));
      // The machine has other things to do.
      await delay(2);
    }
  });
  const changed: Changed[] = [];
  for (let number = 0; number < changes; number += 1) {
    const hash = number % 2 === 0 ? next : former;
    await delay(SETTLED_MS);
    const askedMs = performance.now();
    if (hash === next) await ask('agreed/promote', 'POST', { hash });
    else await ask(`history/${hash}/restore`, 'POST');
    const answeredMs = performance.now();
    changed.push({ askedMs, answeredMs, firstMs: await firstOf(seen, hash, askedMs) });
  }
  isOver = true;
  await Promise.all(calling);
  report(changed);
  console.log(toMachineLines(before, readMachine(), []).at(0));
  const wrong = findWrong(seen, { [former]: 'CHALLENGE', [next]: 'BLOCK' });
  const turnedBack = findTurnedBack(seen, changed);
  console.log(
    `${seen.length} answers: ${wrong.length} are not of one of the two policies as a whole, ${turnedBack} go back to the former.`,
  );
  for (const { hash, says } of wrong.slice(0, 5)) console.log(`${hash} ${says}`);
  if (wrong.length > 0 || turnedBack > 0) process.exitCode = 1;
}

async function askFor(origin: string, path: string, method: string, body?: object) {
  const answer = await fetch(`${origin}/v1/policies/${path}`, {
    method,
    headers: { 'x-api-key': SERVICE_KEY, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path} answers ${answer.status}: ${text}`);
  return z.record(z.string(), z.unknown()).parse(JSON.parse(text));
}

async function decide(origin: string): Promise<Seen> {
  const askedMs = performance.now();
  const answer = answerSchema.parse(await (await askForDecision(origin, { action: 'login' })).json());
  const says = [answer.decision, ...answer.reasons.map(({ code }) => code)].join(' ');
  return { askedMs, cameMs: performance.now(), hash: answer.policy.hash, says };
}

/** When the first answer by a policy came of those that came after a change was asked for. */
async function firstOf(seen: readonly Seen[], hash: string, sinceMs: number): Promise<number> {
  let place = seen.length;
  while (place > 0 && (seen[place - 1]?.cameMs ?? 0) >= sinceMs) place -= 1;
  while (performance.now() - sinceMs < OBEYED_WITHIN_MS) {
    for (; place < seen.length; place += 1) {
      const one = seen[place];
      if (one?.hash === hash) return one.cameMs;
    }
    await delay(1);
  }
  throw new Error(`no answer by ${hash} in ${OBEYED_WITHIN_MS} ms`);
}

function findWrong(seen: readonly Seen[], verdicts: Readonly<Record<string, string>>): readonly Seen[] {
  return seen.filter(({ hash, says }) => {
    const verdict = verdicts[hash];
    return verdict === undefined || says !== `${verdict} REASON_OF_${verdict}`;
  });
}

/** Answers of the former policy to what was asked after an answer of the new one, before the next change. */
function findTurnedBack(seen: readonly Seen[], changed: readonly Changed[]): number {
  let count = 0;
  changed.forEach(({ firstMs }, place) => {
    const endMs = changed[place + 1]?.askedMs ?? Number.POSITIVE_INFINITY;
    const since = seen.filter(({ askedMs, cameMs }) => askedMs > firstMs && cameMs < endMs);
    const own = seen.find(({ cameMs }) => cameMs === firstMs)?.hash;
    count += since.filter(({ hash }) => hash !== own).length;
  });
  return count;
}

function report(changed: readonly Changed[]): void {
  const rows = [
    ['after the request', changed.map(({ askedMs, firstMs }) => firstMs - askedMs)],
    ['after its answer', changed.map(({ answeredMs, firstMs }) => firstMs - answeredMs)],
  ] as const;
  for (const [what, times] of rows) {
    const [p50, p95, max] = [0.5, 0.95, 1].map((at) => Math.round(quantile(times, at)));
    console.log(`${what}: p50 ${p50} ms, p95 ${p95} ms, max ${max} ms (${times.length} changes)`);
  }
}
