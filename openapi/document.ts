import { readFileSync } from 'node:fs';
import Fastify from 'fastify';
import { registerRoutes } from '../src/app/routes.ts';
import { ROUTE_COMPILERS } from '../src/http/server.ts';
import { PROVIDERS } from '../src/providers/registry.ts';

/**
 * The text of openapi.json as the service of this version serves it with these providers, indented, with a
 * newline at its end. Its routes are registered as those of a service are, with nothing behind them. Rejects
 * where a schema is none: a service checks no schemas, and compiles most answers only once they are needed.
 */
export async function createOpenApiDocument(providers = PROVIDERS): Promise<string> {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const { customOptions } = ROUTE_COMPILERS.ajv;
  const app = Fastify({ ajv: { customOptions: { ...customOptions, validateSchema: true } } });
  await registerRoutes(app, { version, providers }, null);
  await app.ready();
  const document = app.swagger();
  await app.close();
  return `${JSON.stringify(document, null, 2)}\n`;
}
