import protobuf from 'protobufjs';
import descriptor, {
  type IDescriptorProto,
  type IFileDescriptorProto,
} from 'protobufjs/ext/descriptor/index.js';

/**
 * How the messages of one method are read and written. What is absent or empty on the wire is absent in an
 * object.
 */
export interface ProtoMethod {
  /** Throws on bytes that are no such message. */
  readonly decode: (bytes: Uint8Array) => unknown;
  readonly encode: (message: unknown) => Uint8Array;
}

/** One definition file: what it serves, and how it describes itself. */
export interface ProtoFile {
  readonly name: string;
  /** With the package. */
  readonly services: readonly string[];
  /** Every message, enumeration, service and method, with its package. */
  readonly symbols: ReadonlySet<string>;
  /** By `/service/method`, which is the path of a call. */
  readonly methods: ReadonlyMap<string, ProtoMethod>;
  /** A google.protobuf.FileDescriptorProto. */
  readonly descriptor: Uint8Array;
}

/**
 * Reads a definition in proto3 that has one package and imports nothing. Throws on one that cannot be read.
 */
export function readProtoFile(name: string, text: string): ProtoFile {
  const { root, package: packageName } = protobuf.parse(text, { keepCase: true });
  root.resolveAll();
  const symbols = new Set<string>();
  const methods = new Map<string, ProtoMethod>();
  const services: string[] = [];
  for (const part of partsOf(root)) {
    const symbol = part.fullName.slice(1);
    symbols.add(symbol);
    if (!(part instanceof protobuf.Service)) continue;
    services.push(symbol);
    for (const method of part.methodsArray) {
      symbols.add(`${symbol}.${method.name}`);
      methods.set(`/${symbol}/${method.name}`, toMethod(method));
    }
  }
  return { name, services, symbols, methods, descriptor: describe(root, name, packageName ?? '') };
}

function* partsOf(namespace: protobuf.NamespaceBase): Generator<protobuf.ReflectionObject> {
  for (const nested of namespace.nestedArray) {
    if (nested instanceof protobuf.Type || nested instanceof protobuf.Enum) yield nested;
    if (nested instanceof protobuf.Service) yield nested;
    if (nested instanceof protobuf.Namespace) yield* partsOf(nested);
  }
}

function toMethod({ name, resolvedRequestType: request, resolvedResponseType: response }: protobuf.Method) {
  if (request === null || response === null) throw new Error(`${name} has a type that is not defined`);
  return {
    decode: (bytes: Uint8Array): unknown => request.toObject(request.decode(bytes), { enums: String }),
    // protobufjs takes any object, and throws on a member of the wrong type.
    encode: (message: unknown): Uint8Array =>
      response.encode(response.fromObject(message as Record<string, unknown>)).finish(),
  };
}

function describe(root: protobuf.Root, name: string, packageName: string): Uint8Array {
  // The library adds this method to its class by the import of the extension.
  const { file } = (root as unknown as Describable).toDescriptor('proto3');
  const [own] = file;
  if (own === undefined || file.length > 1) throw new Error(`${name} has more than one package`);
  own.name = name;
  for (const message of own.messageType ?? []) nameMapEntries(message, `.${packageName}`);
  return descriptor.FileDescriptorProto.encode(own).finish();
}

interface Describable {
  toDescriptor(edition: 'proto3'): { readonly file: IFileDescriptorProto[] };
}

/**
 * protoc calls the entries of a map `headers` `HeadersEntry`, by which clients know the map; the library
 * calls them `Headers`.
 */
function nameMapEntries(message: IDescriptorProto, scope: string): void {
  const fullName = `${scope}.${message.name}`;
  for (const nested of message.nestedType ?? []) {
    if (nested.options?.mapEntry !== true) {
      nameMapEntries(nested, fullName);
      continue;
    }
    const field = message.field?.find(
      ({ name, typeName }) => typeName === nested.name && toTypeName(name) === nested.name,
    );
    if (field === undefined) throw new Error(`${fullName} has the entries of no map`);
    nested.name = `${toPascal(field.name ?? '')}Entry`;
    field.typeName = `${fullName}.${nested.name}`;
  }
}

/** As the library names the entries of a map. */
function toTypeName(name = ''): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

function toPascal(name: string): string {
  return name.replaceAll(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
