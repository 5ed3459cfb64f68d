import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { SHARED_SCHEMAS } from '../schemas/responses.ts';

export interface OpenApiOptions {
  readonly version: string;
}

/** Describes every route registered after it, at /openapi.json and rendered at /docs. */
export async function registerOpenApi(app: FastifyInstance, { version }: OpenApiOptions): Promise<void> {
  for (const schema of SHARED_SCHEMAS) app.addSchema(schema);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'riskgate',
        version,
        description: 'Given a telemetry id and a device id: ALLOW, CHALLENGE or BLOCK, with reasons.',
        license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
      },
      servers: [{ url: '/', description: 'This service.' }],
      tags: [
        { name: 'decisions', description: 'The one question.' },
        { name: 'policy', description: 'What decisions follow.' },
        { name: 'evidence', description: 'What decisions rest on.' },
        { name: 'health', description: 'For load balancers and people.' },
      ],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'An API key as a bearer token.' },
          apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'An API key.' },
        },
      },
      security: [{ bearer: [] }, { apiKey: [] }],
    },
    refResolver: {
      buildLocalReference: (json, _baseUri, _fragment, index) =>
        typeof json['$id'] === 'string' ? json['$id'] : `schema-${index}`,
    },
  });
  await app.register(swaggerUi, { routePrefix: '/docs', uiConfig: { deepLinking: true } });
  app.get('/openapi.json', { schema: { hide: true } }, (_request, reply) => reply.send(app.swagger()));
}
