import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../support/start-program.ts';

/** What a recipe names that is elsewhere in a test. */
export interface Surroundings {
  readonly riskgatePort: number;
  readonly applicationPort: number;
  readonly gatewayPort: number;
  readonly key: string;
  /** For files that a recipe names by an absolute path. */
  readonly directory: string;
}

/** The names in recipes, and what stands in their place. Nothing else of a recipe is changed. */
function substitutions(around: Surroundings): readonly (readonly [string, string])[] {
  const { riskgatePort, applicationPort, gatewayPort, key, directory } = around;
  return [
    ['riskgate:8080', `127.0.0.1:${riskgatePort}`],
    ['"riskgate", 8080', `"127.0.0.1", ${riskgatePort}`],
    ['address: riskgate, port_value: 8080', `address: 127.0.0.1, port_value: ${riskgatePort}`],
    ['address: riskgate, port_value: 9090', `address: 127.0.0.1, port_value: ${riskgatePort}`],
    ['address: app, port_value: 8000', `address: 127.0.0.1, port_value: ${applicationPort}`],
    ['address: 0.0.0.0, port_value: 8088', `address: 127.0.0.1, port_value: ${gatewayPort}`],
    ['.host = "riskgate"', '.host = "127.0.0.1"'],
    ['.port = "8080"', `.port = "${riskgatePort}"`],
    ['app:8000', `127.0.0.1:${applicationPort}`],
    ['.host = "app"', '.host = "127.0.0.1"'],
    ['.port = "8000"', `.port = "${applicationPort}"`],
    ['listen 8088', `listen 127.0.0.1:${gatewayPort}`],
    ['Listen 8088', `Listen 127.0.0.1:${gatewayPort}`],
    ['*:8088', `127.0.0.1:${gatewayPort}`],
    ['bind :8088', `bind 127.0.0.1:${gatewayPort}`],
    ['\n:8088', `\nhttp://:${gatewayPort}`],
    ['REPLACE_WITH_AN_API_KEY', key],
    ['/etc/haproxy/', `${directory}/`],
    ['/etc/apache2/', `${directory}/`],
    ['/var/cache/nginx/', `${directory}/`],
  ];
}

/**
 * Writes the recipe at `path` below docs/gateways into the directory, with its names replaced, and returns
 * where.
 */
export function writeRecipe(path: string, around: Surroundings): string {
  let text = readFileSync(join(ROOT, 'docs/gateways', path), 'utf8');
  for (const [name, value] of substitutions(around)) text = text.replaceAll(name, value);
  mkdirSync(around.directory, { recursive: true });
  const written = join(around.directory, path.slice(path.lastIndexOf('/') + 1));
  writeFileSync(written, text);
  return written;
}
