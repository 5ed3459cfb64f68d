import SerializerSelector from '@fastify/fast-json-stringify-compiler';

/**
 * By the schemas that others refer to, then by the schema itself. As many as there are schemas in the code.
 */
const compiled = new Map<string, Map<string, SerializerSelector.Serializer>>();

/**
 * What Fastify compiles the schemas of answers with: each once in a process, however many routes and servers
 * answer with it. Every route has some ten problem documents, the same everywhere, and compiling them for
 * each took half of the time of a start.
 */
export const sharedSerializers: SerializerSelector.SerializerFactory = (externalSchemas, options) => {
  const compile = SerializerSelector()(externalSchemas, options);
  const shared = JSON.stringify([externalSchemas, options]);
  const known = compiled.get(shared) ?? new Map<string, SerializerSelector.Serializer>();
  compiled.set(shared, known);
  return (route) => {
    const key = JSON.stringify(route.schema);
    const serialize = known.get(key) ?? compile(route);
    known.set(key, serialize);
    return serialize;
  };
};
