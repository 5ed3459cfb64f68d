import { randomUUIDv7 } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import Fastify, { type FastifyReply } from 'fastify';
import { loadAssets } from '../../src/dashboard/assets.ts';
import { registerDashboard } from '../../src/dashboard/routes.ts';
import { portOf } from './test-app.ts';

/** Decisions in one piece of the stream, and pieces in a second. */
const PIECES_PER_SECOND = 50;
const VERDICTS = ['ALLOW', 'ALLOW', 'ALLOW', 'ALLOW', 'CHALLENGE', 'BLOCK'] as const;

interface Teardown {
  teardown(handler: () => unknown): unknown;
}

export interface DecisionFlood {
  readonly origin: string;
  /** Decisions a second from now on. */
  setRate(perSecond: number): void;
}

/**
 * The real page on a log that is invented: so many decisions at once that a service which makes them, on the
 * same machine, would be what is measured.
 */
export async function startDecisionFlood(t: Teardown): Promise<DecisionFlood> {
  const app = Fastify({ forceCloseConnections: true });
  let sent = 0;
  let perSecond = 0;
  await app.register(registerDashboard, { assets: loadAssets() });
  // As where the browser keeps no session: the page goes on with its key.
  app.post('/v1/session', (_request, reply) => reply.code(201).send({}));
  app.get('/v1/session', () => ({ signed_in: false }));
  app.get('/v1/policy', () => ({ id: 'default', hash: 'sha256:00', document: { rules: [] } }));
  app.get('/v1/providers', () => ({ providers: [] }));
  app.get('/v1/decisions', () => ({ decisions: [], next_cursor: null }));
  app.get('/v1/stats', () => createStats(sent));
  app.get('/v1/decisions/stream', async (_request, reply) => {
    const { raw } = reply;
    reply.hijack();
    raw.writeHead(200, { 'content-type': 'text/event-stream' });
    raw.write(eventOf(0, 'ready', { resumed: false, heartbeat_seconds: 15 }));
    while (!raw.destroyed) {
      const count = perSecond / PIECES_PER_SECOND;
      let text = '';
      for (let place = 0; place < count; place += 1) {
        sent += 1;
        text += eventOf(sent, 'decision', createDecision(sent));
      }
      await write(raw, text);
      await delay(1000 / PIECES_PER_SECOND);
    }
  });
  t.teardown(() => app.close());
  await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    origin: `http://127.0.0.1:${portOf(app.server.address())}`,
    setRate: (rate) => {
      perSecond = rate;
    },
  };
}

/** Waits for a reader that is slower than the flood. */
async function write(raw: FastifyReply['raw'], text: string): Promise<void> {
  if (text === '' || raw.write(text)) return;
  const over = new AbortController();
  const { signal } = over;
  // Losing a race leaves no listener behind.
  await Promise.race(['drain', 'close'].map((event) => once(raw, event, { signal }).catch(() => {})));
  over.abort();
}

function eventOf(id: number, event: string, data: object): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

function createDecision(serial: number) {
  const verdict = VERDICTS[serial % VERDICTS.length] ?? 'ALLOW';
  const evidence = {
    outcome: 'ok',
    cache: 'hit',
    cache_level: 'memory',
    latency_ms: 0.1,
    age_ms: 1200,
    suspect: false,
  };
  const reason = { rule: 'stytch-block', verdict, providers: ['stytch'], certain: true };
  return {
    decision_id: randomUUIDv7(),
    decided_at: new Date().toISOString(),
    decision: verdict,
    degraded: serial % 50 === 0,
    reasons: verdict === 'ALLOW' ? [] : [{ code: `STYTCH_${verdict}`, ...reason }],
    waivers: [],
    caller: `caller-${serial % 7}`,
    entry_point: 'decide',
    action: 'login',
    request_id: null,
    subject: { telemetry: 'a'.repeat(64), devices: ['b'.repeat(64)], account: 'c'.repeat(64) },
    providers: { stytch: evidence, mobilerun: evidence, prefactor: evidence },
    policy: { id: 'default', hash: `sha256:${'0'.repeat(64)}` },
    engine: '0.0.0',
    latency_ms: 12.3,
    label: null,
  };
}

function createStats(total: number) {
  const latency = { p50: 1, p95: 2, p99: 3 };
  const counts = { ALLOW: Math.floor(total / 2), BLOCK: Math.ceil(total / 2) };
  const beginMs = Math.floor(Date.now() / 60_000) * 60_000;
  const steps = Array.from({ length: 60 }, (_, place) => ({
    at: new Date(beginMs - (59 - place) * 60_000).toISOString(),
    total,
    counts,
    latency_ms: latency,
  }));
  return {
    since: steps[0]?.at,
    until: new Date(beginMs + 60_000).toISOString(),
    step_seconds: 60,
    group_by: 'decision',
    steps,
    totals: { total, counts, latency_ms: latency, degraded: 0, provider_latency_ms: {} },
  };
}
