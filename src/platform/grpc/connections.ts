import { constants, type Http2Server, type Http2Session, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';

/** What connections are ended for, beside their age and their end by the client. */
export type ConnectionTrouble = 'evicted' | 'refused' | 'flooding' | 'unanswered';

/** How many connections there may be, and for how long. */
export interface ConnectionBounds {
  /** At this number, the oldest connection without an authenticated gateway is closed to make room. */
  readonly connectionsMax: number;
  /** How long a connection without calls is kept. */
  readonly idleMs: number;
  /** The same for connections without an authenticated gateway. */
  readonly strangerIdleMs: number;
  /** A connection is replaced after this time, up to a tenth more so that not all go at once. */
  readonly ageMs: number;
  /** What calls under way on a connection that is going have left. */
  readonly graceMs: number;
  /** How often a connection has to show that it is alive. */
  readonly pingMs: number;
  /** PING and SETTINGS frames without a call between them. */
  readonly controlFramesMax: number;
}

/** One client's connection. */
interface Connection {
  /** Empty where the client has gone already. */
  readonly peerAddress: string | undefined;
  /** A gateway has proved to be one on it. */
  prove(): void;
  /** It did not take the answer to a call that was refused. Ends a stranger's connection after many. */
  refusalUntaken(): void;
  callBegan(): void;
  callEnded(): void;
}

interface Connections {
  of(session: Http2Session | undefined): Connection | undefined;
  /**
   * Lets calls under way end, for at most `patienceMs`, and takes those that are on their way. Resolves when
   * no connection is left.
   */
  close(patienceMs: number): Promise<void>;
}

/** The bounds in production, but for what depends on the calls. */
export const CONNECTION_BOUNDS: Omit<ConnectionBounds, 'graceMs'> = {
  connectionsMax: 1_024,
  idleMs: 300_000,
  strangerIdleMs: 15_000,
  ageMs: 1_800_000,
  pingMs: 60_000,
  controlFramesMax: 100,
};

/** How often connections are looked at. */
const SWEEP_MS = 1_000;
/**
 * Of all streams, so that those on their way are still taken: a gateway cannot tell a call that was lost with
 * its connection from one that was decided.
 */
const LAST_STREAM_ID = 2 ** 31 - 1;

/** Refusals that a client does not take, on a connection without an authenticated gateway. */
const UNTAKEN_MAX = 32;
/** For a client to read why its connection ends. */
const CUT_MS = 1_000;
/** A client that has no calls may answer nothing more, and wait for the end. */
const ANSWER_MS = 500;

interface Watched extends Connection {
  readonly session: ServerHttp2Session;
  /** A session that has ended well waits for its client to end the socket, for ever. */
  readonly socket: Socket;
  readonly oldAtMs: number;
  idleSinceMs: number;
  calls: number;
  controlFrames: number;
  untaken: number;
  isProven: boolean;
  pingedAtMs: number;
  isPingOut: boolean;
  goneByMs: number | null;
}

/** Bounds the connections of `server`, and ends them so that no call is lost. */
export function watchConnections(
  server: Http2Server,
  bounds: ConnectionBounds,
  onTrouble: (trouble: ConnectionTrouble) => void,
): Connections {
  const all = new Map<Http2Session, Watched>();
  const cut = ({ session, socket }: Watched, trouble: ConnectionTrouble) => {
    onTrouble(trouble);
    all.delete(session);
    // Only with an error of its own does the session tell the client a code; it ends the socket then.
    if (trouble === 'flooding') {
      session.destroy(new Error(trouble), constants.NGHTTP2_ENHANCE_YOUR_CALM);
      // After a GOAWAY of the client it only half-closes the socket, and waits for ever.
      const timer = setTimeout(() => socket.destroy(), CUT_MS).unref();
      socket.once('close', () => clearTimeout(timer));
    } else socket.destroy();
  };
  let socket: Socket;
  server.prependListener('connection', (accepted: Socket) => {
    socket = accepted;
  });
  // Emitted within the event above.
  server.on('session', (session) => {
    // Whatever a client does to its connection ends that connection alone.
    session.on('error', () => {});
    if (!makeRoom(all, bounds, (connection) => cut(connection, 'evicted'))) {
      onTrouble('refused');
      socket.destroy();
      return;
    }
    const connection = watch(session, socket, bounds, () => cut(connection, 'unanswered'));
    all.set(session, connection);
    socket.once('close', () => all.delete(session));
    const countFrame = () => {
      connection.controlFrames += 1;
      if (connection.controlFrames > bounds.controlFramesMax) cut(connection, 'flooding');
    };
    session.on('ping', countFrame);
    session.on('remoteSettings', countFrame);
  });
  const sweep = () => {
    const nowMs = performance.now();
    for (const connection of all.values()) {
      if (isUnanswered(connection, bounds, nowMs)) cut(connection, 'unanswered');
      else if (connection.goneByMs === null && isOver(connection, bounds, nowMs))
        dismiss(connection, nowMs + bounds.graceMs);
      else if (connection.goneByMs !== null && nowMs > connection.goneByMs) cut(connection, 'unanswered');
      else if (nowMs - connection.pingedAtMs > bounds.pingMs) ping(connection, nowMs);
    }
  };
  const timer = setInterval(sweep, SWEEP_MS).unref();
  return {
    of: (session) => (session === undefined ? undefined : all.get(session)),
    close: async (patienceMs) => {
      clearInterval(timer);
      await dismissAll(all, patienceMs);
    },
  };
}

async function dismissAll(all: ReadonlyMap<unknown, Watched>, patienceMs: number): Promise<void> {
  const closed = [...all.values()].map(
    ({ socket }) => new Promise((resolve) => socket.once('close', resolve)),
  );
  for (const connection of all.values()) dismiss(connection, 0);
  const force = setTimeout(() => {
    for (const { socket } of all.values()) socket.destroy();
  }, patienceMs);
  await Promise.all(closed);
  clearTimeout(force);
}

function watch(
  session: ServerHttp2Session,
  socket: Socket,
  { ageMs }: ConnectionBounds,
  onUnanswered: () => void,
): Watched {
  const nowMs = performance.now();
  return {
    session,
    socket,
    peerAddress: socket.remoteAddress,
    oldAtMs: nowMs + ageMs * (1 + Math.random() / 10),
    idleSinceMs: nowMs,
    calls: 0,
    controlFrames: 0,
    untaken: 0,
    isProven: false,
    pingedAtMs: nowMs,
    isPingOut: false,
    goneByMs: null,
    prove() {
      this.isProven = true;
    },
    refusalUntaken() {
      this.untaken += 1;
      if (this.untaken === UNTAKEN_MAX + 1 && !this.isProven) onUnanswered();
    },
    callBegan() {
      this.calls += 1;
      this.controlFrames = 0;
    },
    callEnded() {
      this.calls -= 1;
      this.idleSinceMs = performance.now();
    },
  };
}

/** False where every connection is a gateway's. */
function makeRoom(
  all: ReadonlyMap<unknown, Watched>,
  { connectionsMax }: ConnectionBounds,
  evict: (connection: Watched) => void,
): boolean {
  if (all.size < connectionsMax) return true;
  for (const connection of all.values()) {
    if (connection.isProven) continue;
    evict(connection);
    return true;
  }
  return false;
}

function isOver(connection: Watched, bounds: ConnectionBounds, nowMs: number): boolean {
  // A client that said goodbye still has to end its socket.
  if (connection.session.destroyed || nowMs > connection.oldAtMs) return true;
  const idleMs = connection.isProven ? bounds.idleMs : bounds.strangerIdleMs;
  return connection.calls === 0 && nowMs - connection.idleSinceMs > idleMs;
}

function isUnanswered(connection: Watched, { pingMs }: ConnectionBounds, nowMs: number): boolean {
  return connection.isPingOut && nowMs - connection.pingedAtMs > pingMs;
}

function ping(connection: Watched, nowMs: number): void {
  connection.pingedAtMs = nowMs;
  connection.isPingOut = true;
  connection.session.ping(() => {
    connection.isPingOut = false;
  });
}

/** Tells the client to open no more calls here, takes what it sent before it knew, and then ends. */
function dismiss(connection: Watched, goneByMs: number): void {
  const { session } = connection;
  connection.goneByMs = goneByMs;
  if (session.destroyed || session.closed) return;
  session.goaway(constants.NGHTTP2_NO_ERROR, LAST_STREAM_ID);
  const end = () => {
    clearTimeout(timer);
    if (!session.destroyed && !session.closed) session.close();
  };
  const timer = setTimeout(end, ANSWER_MS);
  // Its answer comes after everything that the client sent before it read the line above.
  session.ping(end);
}
