import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { createGrpcServer, type GrpcServerOptions } from '../../src/platform/grpc/server.ts';
import { connectRaw, toRawFrame } from './raw-grpc.ts';

const PROTO = `syntax = "proto3"; package test;
  service Echo { rpc Say(Text) returns (Text); }
  message Text { string text = 1; }`;

/** The only method of the echo service. */
export const SAY = '/test.Echo/Say';
/** What a gateway of the echo service proves itself with. */
export const KEY = { 'x-key': 'right' };

/** Writes the definition of the echo service to a folder that ends with the test. */
export function writeEchoProto(t: Pick<Test, 'teardown'>): string {
  const directory = mkdtempSync(join(tmpdir(), 'riskgate-grpc-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const protoFile = join(directory, 'echo.proto');
  writeFileSync(protoFile, PROTO);
  return protoFile;
}

/** The message of the echo service. */
export function toText(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x0a, bytes.length]), bytes]);
}

/** A server of the echo service, which answers the text `hold` once it is released. */
export async function startEcho(t: Test, options: Partial<GrpcServerOptions> = {}) {
  const parsed: string[] = [];
  const troubles: string[] = [];
  const held = Promise.withResolvers<unknown>();
  const server = createGrpcServer({
    protoFile: writeEchoProto(t),
    service: 'test.Echo',
    isServing: () => true,
    messageBytesMax: 64 * 1024,
    onTrouble: (trouble) => troubles.push(trouble),
    methods: {
      Say: {
        refuse: ({ metadata }) => (metadata['x-key']?.join() === 'right' ? undefined : { text: 'refused' }),
        answerOversized: () => ({ text: 'oversized' }),
        answer: (request) => {
          const { text = '' } = request as { text?: string };
          parsed.push(text);
          if (text === 'null') return null;
          if (text === 'throw') throw new Error('a defect');
          if (text === 'misfit') return { text: { toString: null } };
          return text === 'hold' ? held.promise : { text };
        },
      },
    },
    ...options,
  });
  const port = await server.listen('127.0.0.1', 0);
  t.teardown(() => server.close(0));
  const ask = async (text: string) => {
    const call = connectRaw(t, port).call(SAY, KEY);
    call.end(toRawFrame(toText(text)));
    return call.reply;
  };
  return { server, port, parsed, troubles, ask, release: () => held.resolve({ text: 'held' }) };
}
