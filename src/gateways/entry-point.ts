import type { Socket } from 'node:net';
import { toRiskHeaders, toSharedAnswer } from './answer.ts';
import type { GatewayAnswer } from './definition.ts';
import { refusedResult, TOO_LARGE_RESULT } from './gateway-result.ts';
import type { NoteRefusal } from './refusal-log.ts';

const PREFIX = '/v1/gateway/';
/**
 * What the router sees of every address below the prefix: it would refuse bad escapes and long parameters,
 * which end users may send.
 */
const ROUTE_PATH = '/v1/gateway/-/-';

interface GatewayEntryPointOptions {
  readonly noteRefusal: NoteRefusal;
  /** The largest head of a request that is read: at least what gateways take from clients. */
  readonly headerBytesMax: number;
}

/** What a server has to know of the requests of gateways before any of them reaches a route. */
export interface GatewayEntryPoint {
  /** True for a URL of a gateway route, as it came or as the router sees it. */
  owns(url: string): boolean;
  /** The path that a router is to see in place of a raw URL. */
  toRoutePath(url: string): string;
  readonly headerBytesMax: number;
  /**
   * The answer to what node:http could not parse, as far as its first bytes or its connection show that a
   * gateway sent it; else null.
   */
  answerBroken(broken: BrokenRequest): GatewayAnswer | null;
  /** Of an answer to what nobody could parse: a gateway may have sent it. */
  readonly brokenHeaders: Readonly<Record<string, string>>;
}

/** What is known of a request that never became one. */
interface BrokenRequest {
  /** What was read last of it. */
  readonly packet: Uint8Array | undefined;
  readonly socket: Socket;
  readonly isTooLarge: boolean;
}

/** Builds the part of the entry point that lies before the router; the routes are `gatewayRoutes`. */
export function createGatewayEntryPoint(options: GatewayEntryPointOptions): GatewayEntryPoint {
  const malformed = refusedResult('REQUEST_MALFORMED');
  const { headerBytesMax, noteRefusal } = options;
  return {
    owns: isGatewayUrl,
    headerBytesMax,
    toRoutePath: (url) => (isGatewayUrl(url) ? ROUTE_PATH : url),
    answerBroken: ({ packet, socket, isTooLarge }) => {
      const isGateways = beginsWithGatewayUrl(packet) || (isTooLarge && askedBefore.has(socket));
      if (!isGateways) return null;
      noteRefusal(isTooLarge ? 'REQUEST_TOO_LARGE' : 'REQUEST_MALFORMED', null, null);
      return toSharedAnswer(isTooLarge ? TOO_LARGE_RESULT : malformed, null);
    },
    brokenHeaders: toRiskHeaders({ decision: 'UNAVAILABLE', decisionId: null, reasons: malformed.reasons }),
  };
}

/** Connections on which a gateway has asked. */
const askedBefore = new WeakSet<Socket>();

/** Notes a connection on which a gateway asks: what breaks on it later is the gateway's too. */
export function noteGatewaySocket(socket: Socket): void {
  askedBefore.add(socket);
}

function beginsWithGatewayUrl(packet: Uint8Array | undefined): boolean {
  const [line = ''] = Buffer.from(packet ?? [])
    .toString('latin1', 0, 256)
    .split('\r\n', 1);
  const [, target = ''] = line.split(' ');
  return isGatewayUrl(target);
}

function isGatewayUrl(url: string): boolean {
  return url.startsWith(PREFIX) || /^\/v1\/gateway(?:$|\?)/.test(url);
}
