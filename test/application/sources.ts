import type {
  EvidenceSource,
  LookLimits,
  LookResult,
  ProviderQuery,
} from '../../src/application/evidence/evidence-source.ts';
import type { ProviderSlot } from '../../src/application/evidence/gather-evidence.ts';
import type { Evidence } from '../../src/domain/evidence.ts';
import type { SubjectPart } from '../../src/domain/subject.ts';

type Look = (query: ProviderQuery, limits: LookLimits) => LookResult | Promise<LookResult>;

/** Evidence of an `ok` answer at Unix time 1000, with changes. */
export function createEvidence(provider: string, changes: Partial<Evidence> = {}): Evidence {
  return {
    provider,
    outcome: 'ok',
    signals: { found: true },
    observedAtMs: 1_000,
    expiresAtMs: 9_000,
    upstreamRequestId: `${provider}-request`,
    ...changes,
  };
}

/** A result with such evidence, as a call of this request made it. */
export function createResult(provider: string, changes: Partial<Evidence> = {}): LookResult {
  return { evidence: createEvidence(provider, changes), origin: 'miss' };
}

/** A source that looks as the test says; `asked` notes every query. */
export function createSource(
  id: string,
  subject: SubjectPart,
  look: Look = () => createResult(id),
): EvidenceSource & { readonly asked: { query: ProviderQuery; limits: LookLimits }[] } {
  const asked: { query: ProviderQuery; limits: LookLimits }[] = [];
  return {
    id,
    subject,
    asked,
    look: (query, { maxAgeMs }) => {
      asked.push({ query, limits: { maxAgeMs } });
      return look(query, { maxAgeMs });
    },
    present: (signals, nowMs, { ip }) => ({ ...signals, presented_at: nowMs, ...(ip && { told: ip }) }),
    notFoundSignals: { found: false },
    subjectExpiresAtMs: () => null,
    subjectCreatedAtMs: () => null,
    placeOf: ({ country, asn }) => ({
      country: typeof country === 'string' ? country : null,
      asn: typeof asn === 'number' ? asn : null,
    }),
    visitorOf: ({ visitor }) => (typeof visitor === 'string' ? visitor : null),
    isSuspect: () => false,
    keyOf: (value) => `${id}:hash-of-${value}`,
    olderKeysOf: (value) => [`${id}:older-hash-of-${value}`],
  };
}

/** The slot of a source. */
export function slotOf(source: EvidenceSource): ProviderSlot {
  return { id: source.id, subject: source.subject, source };
}

/** The slot of a provider that is disabled. */
export function disabledSlot(id: string, subject: SubjectPart): ProviderSlot {
  return { id, subject, source: null };
}
