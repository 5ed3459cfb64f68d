import { parentPort, workerData } from 'node:worker_threads';
import { policyDocumentSchema } from '../domain/policy/document.ts';
import { parseYaml } from '../platform/yaml-document.ts';

// What kept-policies.ts has sent: the text of a policy. Node has no type for it.
const { value, mistakes } = parseYaml(String(workerData));
const document = mistakes.length === 0 ? policyDocumentSchema.safeParse(value).data : undefined;
parentPort?.postMessage(document ?? null);
