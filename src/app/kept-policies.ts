import { hash as digest } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import {
  type KnownPolicies,
  type KnownPolicy,
  rememberPolicies,
} from '../application/decision-log/known-policies.ts';
import { type CompiledPolicy, compileInSteps } from '../domain/policy/compile.ts';
import type { PolicyDocument } from '../domain/policy/document.ts';
import { askWorker } from '../platform/ask-worker.ts';
import { compileLinearPattern } from '../platform/linear-pattern.ts';
import { runInPieces } from '../platform/run-in-pieces.ts';
import type { ProviderDefinition } from '../providers/definition.ts';
import type { DecisionLog } from './decision-log.ts';
import { inTurns } from './in-turns.ts';
import { countriesOfTimeZone } from './time-zone-countries.ts';

interface KeptPoliciesOptions {
  readonly inForce: () => CompiledPolicy;
  readonly providers: readonly ProviderDefinition[];
  /** Null keeps no text. */
  readonly log: DecisionLog | null;
}

/** The policies that this process, or the log that it reads, has known. */
export function keepPolicies({ inForce, providers, log }: KeptPoliciesOptions): KnownPolicies {
  return rememberPolicies({
    inForce,
    kept: log === null ? null : log.policies,
    load: (text, hash) => loadKept(text, hash, providers),
  });
}

/** As for a file that is checked. */
const LIMITS = { timeoutMs: 30_000, heapMbMax: 512 };
const MODULE = new URL('./read-policy-worker.ts', import.meta.url);

/**
 * What a text says; null where this version cannot read it. Parsing takes longer than the event loop can spare,
 * and a thread each, of which there is one at a time. Rules can be read also where this version refuses them.
 */
const readDocument = inTurns(
  async (text: string): Promise<PolicyDocument | null> =>
    askWorker<PolicyDocument | null>(MODULE, text, LIMITS).answer.catch(() => null),
);

/** Texts whose documents are remembered: some tens of kilobytes each. */
const DOCUMENTS_MAX = 16;

/** Reads texts as above, and each once, whoever asks meanwhile. What could not be read is tried again. */
export function rememberDocuments(): (text: string) => Promise<PolicyDocument | null> {
  const known = new LRUCache<string, Promise<PolicyDocument | null>>({ max: DOCUMENTS_MAX });
  return (text) => {
    const hash = digest('sha256', text);
    const document =
      known.get(hash) ??
      readDocument(text).then((told) => {
        if (told === null) known.delete(hash);
        return told;
      });
    known.set(hash, document);
    return document;
  };
}

/** Null for a text that is no policy to this version, or no more the one of its hash. */
export async function loadKept(
  text: string,
  hash: string,
  providers: readonly ProviderDefinition[],
): Promise<KnownPolicy | null> {
  if (`sha256:${digest('sha256', text)}` !== hash) return null;
  const document = await readDocument(text);
  if (document === null) return null;
  const options = { providers, hash, text, compilePattern: compileLinearPattern, countriesOfTimeZone };
  const compiled = await runInPieces(compileInSteps(document, options));
  return { document, compiled: compiled.ok ? compiled.value : null };
}
