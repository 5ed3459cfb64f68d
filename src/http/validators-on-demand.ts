import AjvCompiler from '@fastify/ajv-compiler';
import { isDecisionRoute } from './decision-routes.ts';

/** What Fastify calls: false leaves the mistakes in `errors`. */
interface Validate {
  (data: unknown): boolean;
  errors?: unknown;
}

/** The library's own types have the schema alone in the place of the route. */
type Compile = (route: AjvCompiler.RouteDefinition) => Validate;

const buildCompiler = AjvCompiler();

/**
 * What Fastify compiles the schemas of requests with: for decisions at once, for all others with their first
 * request. That each of them can be compiled is proven where the description of the API is made.
 */
export const validatorsOnDemand = ((externalSchemas, options) => {
  const compile = buildCompiler(externalSchemas, options) as unknown as Compile;
  return (route: AjvCompiler.RouteDefinition) =>
    isDecisionRoute(route) ? compile(route) : compileLater(compile, route);
}) as AjvCompiler.BuildCompilerFromPool;

function compileLater(compile: Compile, route: AjvCompiler.RouteDefinition): Validate {
  let compiled: Validate | undefined;
  const validate: Validate = (data) => {
    compiled ??= compile(route);
    const isValid = compiled(data);
    validate.errors = compiled.errors;
    return isValid;
  };
  return validate;
}
