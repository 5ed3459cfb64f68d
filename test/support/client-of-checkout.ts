/**
 * To be imported before a program: `@riskgate/client` is the source in clients/typescript, which Node runs as it
 * is. What it is when it is packed and installed is tested by `npm run test:clients`.
 */
import { registerHooks } from 'node:module';

const SOURCE = new URL('../../clients/typescript/src/index.ts', import.meta.url).href;

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === '@riskgate/client' ? { url: SOURCE, shortCircuit: true } : next(specifier, context),
});
