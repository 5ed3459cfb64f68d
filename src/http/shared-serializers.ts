import SerializerSelector from '@fastify/fast-json-stringify-compiler';
import { isDecisionRoute } from './decision-routes.ts';

/**
 * By the schemas that others refer to, then by the schema itself. As many as there are schemas in the code.
 */
const compiled = new Map<string, Map<string, SerializerSelector.Serializer>>();

/**
 * What Fastify compiles the schemas of answers with: each once in a process, however many routes and servers
 * answer with it. Every route has some ten problem documents, the same everywhere, and compiling them for
 * each took half of the time of a start. What answers decisions is compiled at once, the others with the first
 * answer.
 */
export const sharedSerializers: SerializerSelector.SerializerFactory = (externalSchemas, options) => {
  const compile = SerializerSelector()(externalSchemas, options);
  const shared = JSON.stringify([externalSchemas, options]);
  const known = compiled.get(shared) ?? new Map<string, SerializerSelector.Serializer>();
  compiled.set(shared, known);
  const compileOnce = (route: SerializerSelector.RouteDefinition): SerializerSelector.Serializer => {
    const key = JSON.stringify(route.schema);
    const serialize = known.get(key) ?? compile(route);
    known.set(key, serialize);
    return serialize;
  };
  return (route) => {
    if (isDecisionRoute(route)) return compileOnce(route);
    let serialize: SerializerSelector.Serializer | undefined;
    return (answer) => {
      serialize ??= compileOnce(route);
      return serialize(answer);
    };
  };
};
