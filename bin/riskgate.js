#!/usr/bin/env node
// Starts the command with a Node that can run it. Whatever Node starts this file: no syntax of later ones.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const MAJOR = 24;
const MINOR = 16;

/** @param {string} version */
function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > MAJOR || (major === MAJOR && minor >= MINOR);
}

/** The Node of the optional packages, which `npm ci` installs on Linux. */
function findInstalledNode() {
  const path = `../node_modules/node-${process.platform}-${process.arch}/bin/node`;
  const file = fileURLToPath(new URL(path, import.meta.url));
  return existsSync(file) ? file : null;
}

const entry = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
const hasPackages = existsSync(fileURLToPath(new URL('../node_modules/commander', import.meta.url)));

if (!hasPackages) {
  console.error('riskgate: its packages are not installed. Run `npm ci` in the checkout first.');
  process.exitCode = 3;
} else if (isNewEnough(process.versions.node)) {
  await import('../src/cli/main.ts');
} else {
  const node = findInstalledNode();
  if (node === null) {
    console.error(
      `riskgate needs Node ${MAJOR}.${MINOR} or newer; this is ${process.version}. On Linux (x64 and arm64) \`npm ci\` installs it beside the packages; elsewhere install it.`,
    );
    process.exitCode = 3;
  } else {
    const child = spawn(node, [entry, ...process.argv.slice(2)], { stdio: 'inherit' });
    // A terminal tells both; whoever else stops this process means the command.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
    child.on('error', (error) => {
      console.error(`riskgate: ${node} cannot be started (${error.message}).`);
      process.exitCode = 3;
    });
    child.on('exit', (code, signal) => {
      process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
    });
  }
}
