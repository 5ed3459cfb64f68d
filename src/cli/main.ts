import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { runCli } from './program.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const { stdout, stderr, stdin, env } = process;
// Whoever reads the output may stop, as `head` does: nothing is left to be done then.
for (const stream of [stdout, stderr]) stream.on('error', () => process.exit());

const exitCode = await runCli(process.argv.slice(2), {
  env,
  // `process.loadEnvFile` takes a directory for an argument of the wrong type.
  loadEnvFile: (path) => {
    for (const [name, value] of Object.entries(parseEnv(readFileSync(path, 'utf8')))) env[name] ??= value;
  },
  stdin,
  stdout,
  stderr,
  version,
  interruption: () => {
    const stop = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort());
    return stop.signal;
  },
  become: async (args, load) => {
    process.argv.splice(2, process.argv.length, ...args);
    await load();
  },
});
// Otherwise a program has the process, and ends it.
if (exitCode !== null) process.exitCode = exitCode;
