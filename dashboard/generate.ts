import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { buildDashboard } from './build.ts';

/** `npm run dashboard` builds the page into the assets that the service serves. They are committed. */
const FOLDER = new URL('../src/dashboard/assets/', import.meta.url);

const assets = await buildDashboard();
mkdirSync(FOLDER, { recursive: true });
for (const name of readdirSync(FOLDER)) if (!assets.has(name)) rmSync(new URL(name, FOLDER));
for (const [name, text] of assets) writeFileSync(new URL(name, FOLDER), text);
