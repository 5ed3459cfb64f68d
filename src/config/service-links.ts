type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What Kubernetes gives as the port of a service to every container of its namespace, unless
 * `enableServiceLinks: false`.
 */
const LINK = /^(?:tcp|udp|sctp):\/\/\S+:\d+$/i;
const LINKED_PORT = /^(.+)_PORT$/;

/**
 * The variables that are links to services: for one named `grpc`, `GRPC_PORT`, `GRPC_SERVICE_HOST`,
 * `GRPC_PORT_9090_TCP` and so on.
 */
export function findServiceLinks(env: Environment): ReadonlySet<string> {
  const services = Object.entries(env).flatMap(([variable, value = '']) => {
    const service = LINKED_PORT.exec(variable)?.[1];
    return service !== undefined && LINK.test(value) ? [service] : [];
  });
  const isLink = (variable: string) =>
    services.some(
      (service) => variable.startsWith(`${service}_`) && isSuffix(variable.slice(service.length)),
    );
  return new Set(Object.keys(env).filter(isLink));
}

function isSuffix(text: string): boolean {
  return /^_(?:SERVICE_HOST|SERVICE_PORT(?:_.+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)$/.test(
    text,
  );
}

/** The environment without them. */
export function withoutServiceLinks(env: Environment): Environment {
  const links = findServiceLinks(env);
  return Object.fromEntries(Object.entries(env).filter(([variable]) => !links.has(variable)));
}
