import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HELM } from '../test/support/deployment-tools.ts';
import { renderManifests } from './render-manifests.ts';

/** `npm run manifests`: deploy/kubernetes of the chart. */
const helm = HELM.find();
if (helm === null) throw new Error(`helm is not there: install ${HELM.hint}`);
for (const [name, text] of renderManifests(helm))
  writeFileSync(join(import.meta.dirname, 'kubernetes', name), text);
