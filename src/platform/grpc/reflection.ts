import { readFileSync } from 'node:fs';
import type { CallHandler } from './call.ts';
import { boundOpenCalls } from './open-calls.ts';
import { type ProtoFile, type ProtoMethod, readProtoFile } from './proto-file.ts';
import { GRPC_STATUS } from './status.ts';

/** Symbols and file names are shorter. */
const MESSAGE_BYTES_MAX = 4_096;
/** Questions of one call; grpcurl asks some ten. */
const QUESTIONS_MAX = 200;
/** At once. */
const CALLS_MAX = 32;

/** Older clients ask by the older name of the same service. */
const VERSIONS = ['v1', 'v1alpha'] as const;

interface Question {
  readonly list_services?: string;
  readonly file_by_filename?: string;
  readonly file_containing_symbol?: string;
}

/** Server reflection: describes the services of `files`, itself among them. */
export function createReflection(files: readonly ProtoFile[]): ReadonlyMap<string, CallHandler> {
  const text = readFileSync(new URL('./reflection.proto', import.meta.url), 'utf8');
  const own = VERSIONS.map((version) => {
    const name = `grpc/reflection/${version}/reflection.proto`;
    return readProtoFile(
      name,
      text.replace('package grpc.reflection.v1;', `package grpc.reflection.${version};`),
    );
  });
  const described = [...files, ...own];
  const handlers = new Map<string, CallHandler>();
  for (const { methods } of own)
    for (const [path, codec] of methods)
      handlers.set(
        path,
        boundOpenCalls(
          toHandler(codec, (question) => answer(described, question)),
          CALLS_MAX,
        ),
      );
  return handlers;
}

function answer(files: readonly ProtoFile[], question: Question): object {
  const { file_by_filename: name, file_containing_symbol: symbol } = question;
  if (question.list_services !== undefined)
    return {
      list_services_response: {
        service: files.flatMap(({ services }) => services.map((name) => ({ name }))),
      },
    };
  const file = files.find((one) => one.name === name || (symbol !== undefined && one.symbols.has(symbol)));
  return file === undefined
    ? { error_response: { error_code: GRPC_STATUS.notFound, error_message: 'not found' } }
    : { file_descriptor_response: { file_descriptor_proto: [file.descriptor] } };
}

function toHandler({ decode, encode }: ProtoMethod, toAnswer: (question: Question) => object): CallHandler {
  return {
    messageBytesMax: MESSAGE_BYTES_MAX,
    isLasting: false,
    open: (_call, reply) => {
      let questions = 0;
      return {
        onMessage: (bytes) => {
          questions += 1;
          if (questions > QUESTIONS_MAX) {
            reply.end(GRPC_STATUS.resourceExhausted, 'too many questions');
            return;
          }
          try {
            // protobufjs decodes by reflection.proto, whose message Question spells out.
            const question = decode(bytes) as Question;
            reply.send(encode({ original_request: question, ...toAnswer(question) }));
          } catch {
            // Bytes that are no such message.
            reply.end(GRPC_STATUS.invalidArgument, 'the message cannot be read');
          }
        },
        onOversized: () => reply.end(GRPC_STATUS.resourceExhausted, 'the message is too large'),
        onEnd: () => reply.end(GRPC_STATUS.ok),
      };
    },
  };
}
