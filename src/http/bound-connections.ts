import type { Server } from 'node:http';
import type { Logger } from 'pino';
import { createThrottle } from '../platform/throttle.ts';

/** From this share on idle connections are closed, so that there is room before the last place is taken. */
const CROWDED_SHARE = 7 / 8;
/** The pause between two walks over all connections. */
const SWEEP_INTERVAL_MS = 1_000;
/** Refused connections are logged at most once in this time. */
const LINE_INTERVAL_MS = 10_000;

/**
 * Accepts at most `max` connections. When few are left, idle connections are closed, whose clients can
 * reconnect: clients that keep connections idle must not take places from others.
 */
export function boundConnections(server: Server, max: number, logger: Logger): void {
  const throttle = createThrottle(LINE_INTERVAL_MS, () => performance.now());
  server.maxConnections = max;
  let open = 0;
  let sweptAtMs = Number.NEGATIVE_INFINITY;
  const sweep = () => {
    if (performance.now() - sweptAtMs < SWEEP_INTERVAL_MS) return;
    sweptAtMs = performance.now();
    server.closeIdleConnections();
  };
  server.on('connection', (socket) => {
    open += 1;
    socket.once('close', () => {
      open -= 1;
    });
    if (open > max * CROWDED_SHARE) sweep();
  });
  server.on('drop', () => {
    sweep();
    if (throttle.note('refused') > 0) logger.warn({ event: 'connections.refused', max });
  });
}
