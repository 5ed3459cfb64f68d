import type { FastifyInstance } from 'fastify';
import { loadAssets } from '../dashboard/assets.ts';
import { registerDashboard } from '../dashboard/routes.ts';
import { serveDescription } from '../http/plugins/openapi.ts';
import { createServer, type ServerOptions } from '../http/server.ts';
import { prepareClose } from './close-server.ts';
import type { AppContext } from './context.ts';
import { longestAnswerMs } from './longest-answer.ts';
import { type RouteDependencies, registerRoutes } from './routes.ts';

/** A server with all its routes, which is not listening yet. */
interface OpenServer {
  readonly server: FastifyInstance;
  /** Answers what is in flight, then ends every connection. */
  close(): Promise<void>;
}

/** Builds the server and registers what it serves: the routes, their description, the dashboard. */
export async function openServer(
  context: AppContext,
  parts: Pick<ServerOptions, 'gateways' | 'observer' | 'isDraining'>,
  service: RouteDependencies,
): Promise<OpenServer> {
  const { config } = context;
  const server = await createServer({
    ...context,
    ...config,
    ...parts,
    answerMsMax: longestAnswerMs(config),
  });
  await registerRoutes(server, context, service);
  await serveDescription(server);
  if (config.isDashboardServed) await server.register(registerDashboard, { assets: loadAssets() });
  return { server, close: prepareClose(server) };
}
