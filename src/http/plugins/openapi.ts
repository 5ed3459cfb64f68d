import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { nameSchemas } from '../schemas/name-schemas.ts';
import { ALWAYS_SENT, SHARED_SCHEMAS } from '../schemas/responses.ts';

interface OpenApiOptions {
  readonly version: string;
}

const JSON_TYPE = 'application/json; charset=utf-8';

/** What the document says of the whole service. */
const DESCRIPTION: FastifyDynamicSwaggerOptions['openapi'] = {
  openapi: '3.1.0',
  tags: [
    { name: 'decisions', description: 'The one question.' },
    { name: 'policy', description: 'What decisions follow.' },
    { name: 'evidence', description: 'What decisions rest on.' },
    { name: 'lists', description: 'Entries that people block, trust or watch.' },
    { name: 'subjects', description: 'What is remembered of who was asked about.' },
    { name: 'session', description: 'People who use the dashboard.' },
    { name: 'gateways', description: 'The same question, asked by API gateways.' },
    { name: 'health', description: 'For load balancers and people.' },
  ],
  components: {
    securitySchemes: {
      bearer: { type: 'http', scheme: 'bearer', description: 'An API key as a bearer token.' },
      apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'An API key.' },
      gatewayKey: {
        type: 'apiKey',
        in: 'header',
        name: 'X-Riskgate-Key',
        description: 'An API key, or as the profile says.',
      },
    },
  },
  security: [{ bearer: [] }, { apiKey: [] }],
};

/** Describes every route registered after it: `app.swagger()` is the document, once the server is ready. */
export async function describeRoutes(app: FastifyInstance, { version }: OpenApiOptions): Promise<void> {
  for (const schema of SHARED_SCHEMAS) app.addSchema(schema);
  await app.register(swagger, {
    openapi: {
      ...DESCRIPTION,
      info: {
        title: 'riskgate',
        version,
        description: 'Given a telemetry id and a device id: ALLOW, CHALLENGE or BLOCK, with reasons.',
        license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
      },
    },
    transformObject: (document) => {
      if (!('openapiObject' in document)) return document.swaggerObject;
      for (const path of Object.values(document.openapiObject.paths ?? {}))
        for (const operation of Object.values(path ?? {})) markSentHeaders(operation);
      // Relative to this document, wherever a proxy has put it. The plug-in itself takes no such address.
      document.openapiObject.servers = [{ url: '.', description: 'This service.' }];
      // A document is JSON, whose parts have other types each.
      nameSchemas(document.openapiObject as unknown as Record<string, unknown>);
      return document.openapiObject;
    },
    refResolver: {
      buildLocalReference: (json, _baseUri, _fragment, index) =>
        typeof json['$id'] === 'string' ? json['$id'] : `schema-${index}`,
    },
  });
}

/** Serves the description at /openapi.json, and rendered at /docs. */
export async function serveDescription(app: FastifyInstance): Promise<void> {
  // Both are written once: anybody may ask for them, at any rate.
  let document: Buffer | undefined;
  let shown: Buffer | undefined;
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    // The page's own addresses are relative, because a proxy may put the service below a path.
    indexPrefix: '.',
    uiConfig: { deepLinking: true },
    uiHooks: {
      onRequest: (request, reply, done) => {
        const { url } = request.routeOptions;
        // Both would be written again for each request. JSON is YAML.
        if (url === '/docs/yaml') void reply.redirect('json', 308);
        else if (url === '/docs/json') {
          shown ??= toBytes({ ...app.swagger(), servers: [{ url: '..', description: 'This service.' }] });
          void reply.type(JSON_TYPE).send(shown);
        } else done();
      },
    },
  });
  const schema = { hide: true };
  app.get('/', { schema }, (request, reply) => {
    // The router takes a target of another form, `*`, for the root.
    if (!request.originalUrl.startsWith('/')) return reply.callNotFound();
    return reply.redirect('docs', 302);
  });
  app.get('/openapi.json', { schema }, (_request, reply) => {
    document ??= toBytes(app.swagger());
    return reply.type(JSON_TYPE).send(document);
  });
}

function toBytes(document: object): Buffer {
  return Buffer.from(JSON.stringify(document));
}

/** The headers of an operation that never fail to come, as OpenAPI says it: beside their schema. */
function markSentHeaders(operation: unknown): void {
  // The headers are those of the routes, which are written as schemas.
  const { responses = {} } = operation as {
    responses?: Record<string, { headers?: Record<string, Header> }>;
  };
  for (const { headers = {} } of Object.values(responses)) {
    for (const header of Object.values(headers)) {
      if (header.schema[ALWAYS_SENT] === true) header.required = true;
      delete header.schema[ALWAYS_SENT];
    }
  }
}

interface Header {
  readonly schema: Record<string, unknown>;
  required?: boolean;
}
