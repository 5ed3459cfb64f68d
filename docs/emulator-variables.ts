import { emulatorEnvironment } from '../src/emulators/server.ts';
import type { ProviderDefinition } from '../src/providers/definition.ts';

/** A shell block that points the service at `npm run emulators`: one line for each provider. */
export function renderEmulatorExports(providers: readonly ProviderDefinition[]): string {
  const lines = providers.map((provider) =>
    ['export', ...pairs([provider], 'http://127.0.0.1:8081', '=')].join(' '),
  );
  return ['```sh', ...lines, '```', ''].join('\n');
}

/** The same variables for docker-compose.yml, where the emulators are a service of their own. */
export function renderEmulatorVariables(providers: readonly ProviderDefinition[]): string {
  return pairs(providers, 'http://emulators:8081', ': ').join('\n');
}

function pairs(providers: readonly ProviderDefinition[], origin: string, separator: string): string[] {
  return Object.entries(emulatorEnvironment(providers, origin)).map((pair) => pair.join(separator));
}
