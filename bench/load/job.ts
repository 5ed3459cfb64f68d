import { z } from 'zod';

/**
 * What a load generator sends: one request, over HTTP/1.1 or gRPC, in which `{serial}` stands for a number of
 * eight digits, so that all are of one length.
 */
export const loadJobSchema = z.object({
  port: z.int(),
  connections: z.int(),
  /**
   * `GRPC`: Envoy's Check, whose metadata are `headers`, and whose message is `body` in JSON; `path` says
   * nothing.
   */
  method: z.enum(['GET', 'POST', 'GRPC']),
  path: z.string(),
  headers: z.record(z.string(), z.string()),
  body: z.string(),
  /**
   * The serial numbers: from `first` on, or, with a count, `first` to `first + count - 1` in a loop. With
   * more numbers than connections, no two requests under way have the same number.
   */
  serials: z.object({ first: z.int(), count: z.int().nullable() }),
  /** A 200, or an OK of gRPC, without this text in it is a failure. */
  mustInclude: z.string(),
});
export type LoadJob = z.output<typeof loadJobSchema>;

export const loadOrderSchema = z.object({
  seconds: z.number(),
  /** Whether to keep the latency of each request. */
  isTimed: z.boolean(),
  /**
   * Requests begun in a second, evenly, as far as connections are free; a latency then counts from the time when
   * the request was due. Without it every connection is busy all the time.
   */
  perSecond: z.number().optional(),
});
export type LoadOrder = z.output<typeof loadOrderSchema>;

export const loadResultSchema = z.object({
  requests: z.int(),
  seconds: z.number(),
  /** Requests with any other answer. */
  failures: z.int(),
  firstFailure: z.string().nullable(),
  /** `[serial, milliseconds]`; empty unless timed. */
  latencies: z.array(z.tuple([z.int(), z.number()])),
});
export type LoadResult = z.output<typeof loadResultSchema>;

export const SERIAL = '{serial}';
const SERIAL_DIGITS = 8;
/** The placeholder of the serial number, of the same length as the number. */
export const TURN = '{turn##}';

/** The serial number as text. */
export function toSerialText(serial: number): string {
  return String(serial).padStart(SERIAL_DIGITS, '0');
}

/** Writes a serial number into a rendered request, in place of its placeholder. */
export function writeTurn(request: Buffer, place: number, turn: number): void {
  request.write(String(turn % 10 ** TURN.length).padStart(TURN.length, '0'), place, 'latin1');
}

/** The whole HTTP/1.1 message for one number. */
export function renderRequest(job: LoadJob, serial: number): Buffer {
  const text = toSerialText(serial);
  const body = job.body.replaceAll(SERIAL, text);
  const lines = [
    `${job.method} ${job.path.replaceAll(SERIAL, text)} HTTP/1.1`,
    `Host: 127.0.0.1:${job.port}`,
    ...Object.entries(job.headers).map(([name, value]) => `${name}: ${value}`),
  ];
  if (job.method === 'POST') lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`);
}
