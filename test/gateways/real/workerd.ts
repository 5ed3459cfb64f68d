import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { z } from 'zod';

/** The address that the edge saw a client come from, whatever the client itself says. */
export const EDGE_ADDRESS = '203.0.113.7';

const packageSchema = z.object({ default: z.string() });
const wranglerSchema = z.object({
  main: z.string(),
  compatibility_date: z.string(),
  vpc_services: z.tuple([z.object({ binding: z.string() })]),
});

/**
 * Where Cloudflare's own runtime for Workers is, or null where npm had none for this system. The package's
 * own command may be a script, which would not hand signals on.
 */
export function findWorkerd(): string | null {
  try {
    return packageSchema.parse(createRequire(import.meta.url)('workerd')).default;
  } catch {
    return null;
  }
}

export interface WorkerSurroundings {
  readonly riskgatePort: number;
  readonly applicationPort: number;
  readonly gatewayPort: number;
  /** Where the Worker listens without an edge in front of it. */
  readonly barePort?: number;
  readonly key: string;
  readonly directory: string;
}

/**
 * Writes what Cloudflare's network is to a Worker: an edge that says who connects, an origin behind `fetch`,
 * and the private service that wrangler's configuration names. Returns the command that serves it.
 */
export function serveWorker(wranglerPath: string, around: WorkerSurroundings): [string, ...string[]] {
  const { riskgatePort, applicationPort, gatewayPort, barePort, key, directory } = around;
  const workerd = findWorkerd();
  if (workerd === null) throw new Error('workerd is not installed');
  const wrangler = wranglerSchema.parse(JSON.parse(readFileSync(wranglerPath, 'utf8')));
  const [{ binding }] = wrangler.vpc_services;
  const text = JSON.stringify;
  const bare = barePort
    ? `, (name = "bare", address = "127.0.0.1:${barePort}", http = (), service = "worker")`
    : '';
  mkdirSync(directory, { recursive: true });
  const config = join(directory, 'workerd.capnp');
  writeFileSync(
    config,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "worker", worker = (
      modules = [(name = "worker.js", esModule = embed ${text(wrangler.main)})],
      compatibilityDate = ${text(wrangler.compatibility_date)},
      bindings = [
        (name = ${text(binding)}, service = "riskgate"),
        (name = "RISKGATE_KEY", text = ${text(key)}),
      ],
      globalOutbound = "origin",
    )),
    (name = "riskgate", external = (address = "127.0.0.1:${riskgatePort}", http = ())),
    (name = "origin", external = (address = "127.0.0.1:${applicationPort}", http = ())),
  ],
  sockets = [(
    name = "edge",
    address = "127.0.0.1:${gatewayPort}",
    http = (injectRequestHeaders = [(name = "CF-Connecting-IP", value = "${EDGE_ADDRESS}")]),
    service = "worker",
  )${bare}],
);
`,
  );
  return [workerd, 'serve', config];
}
