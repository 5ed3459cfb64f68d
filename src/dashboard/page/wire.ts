/**
 * What the page reads of the service's answers. `test/dashboard/wire.test.ts` holds it against the schemas of
 * the routes.
 */

export const VERDICTS = ['ALLOW', 'CHALLENGE', 'BLOCK'] as const;

/** A verdict, as the service writes it. */
export type Verdict = (typeof VERDICTS)[number];

/** Why a verdict was reached: one rule that contributed to it. */
export interface Reason {
  readonly code: string;
  readonly rule: string;
  readonly verdict: Verdict;
  readonly providers: readonly string[];
  readonly certain: boolean;
  /** True where a step-up satisfies the rule; absent otherwise, and so is the step-up. */
  readonly satisfied?: boolean | undefined;
  readonly step_up?:
    | {
        readonly age_seconds: number;
        readonly method: string | null;
        readonly acr: string | null;
      }
    | undefined;
}

/** How a provider took part in a decision. */
export interface EvidenceUse {
  readonly outcome: string;
  readonly cache: 'hit' | 'miss' | 'shared' | 'none';
  /** Null unless `cache` is `hit`. */
  readonly cache_level: 'memory' | 'redis' | null;
  readonly latency_ms: number;
  readonly age_ms: number;
  readonly suspect: boolean;
}

/** Who a decision is about, by keyed hashes; older records lack some of them. */
interface Subject {
  readonly telemetry: string | null;
  readonly devices: readonly string[];
  readonly account: string | null;
  readonly ip?: string | null | undefined;
  readonly network?: string | null | undefined;
  readonly visitor?: string | null | undefined;
  /** The id of the hash key of these; absent in older records. */
  readonly hash_key?: string | undefined;
}

/** A decision in lists and in the stream. */
export interface DecisionSummary {
  readonly decision_id: string;
  readonly decided_at: string;
  readonly decision: Verdict;
  readonly degraded: boolean;
  readonly reasons: readonly Reason[];
  readonly waivers: readonly Pick<Reason, 'code' | 'rule' | 'providers'>[];
  readonly subject: Subject;
  readonly caller: string;
  readonly entry_point: string;
  readonly action: string | null;
  readonly providers: Readonly<Record<string, EvidenceUse>>;
  readonly policy: { readonly id: string; readonly hash: string };
  readonly latency_ms: number;
  readonly label: string | null;
}

/** One page of `GET /v1/decisions`; the cursor is null on the last one. */
export interface DecisionPage {
  readonly decisions: readonly DecisionSummary[];
  readonly next_cursor: string | null;
}

/** What one rule came to. */
export interface RuleOutcome {
  readonly rule: string;
  readonly result: 'true' | 'false' | 'unknown' | 'inert';
  /** Absent for rules that are true or false. */
  readonly why?: string | undefined;
  /** Only where the rule is unknown. */
  readonly on_unknown?: string | undefined;
  readonly condition: string | null;
  readonly parameters: readonly { readonly name: string; readonly value: string }[];
  readonly description: string | null;
  readonly verdict: Verdict | null;
  readonly reason: string | null;
}

/** The evidence of one provider with its signals, null where there are none. */
export interface DetailedEvidence extends EvidenceUse {
  readonly request_id: string | null;
  readonly signals: Readonly<Record<string, unknown>> | null;
}

interface WithoutProvider {
  readonly provider: string;
  readonly decision: Verdict;
  readonly changes: boolean;
  readonly reasons: readonly Reason[];
}

/** What is kept of a fact. Absent in older records; null where no rule read it. */
export type RecordedFact = object | 'unknown' | 'none' | null | undefined;

/** One decision in full. */
export interface DecisionDetail extends Omit<DecisionSummary, 'providers'> {
  readonly request_id: string | null;
  readonly providers: Readonly<Record<string, DetailedEvidence>>;
  readonly custody: { readonly result: string; readonly signals: object | null };
  readonly activity?: RecordedFact;
  readonly step_up?: RecordedFact;
  readonly lists?: RecordedFact;
  readonly shared?: RecordedFact;
  readonly contradictions?: RecordedFact;
  readonly rules: readonly RuleOutcome[];
  readonly engine: string;
  readonly labels: readonly {
    readonly label: string;
    readonly at: string;
    readonly note: string | null;
    readonly caller: string;
  }[];
  readonly policy_known: boolean;
  readonly without: {
    readonly available: boolean;
    readonly why: string | null;
    readonly providers: readonly WithoutProvider[];
  };
}

interface Quantiles {
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

/** Counts by name. */
export type Counts = Readonly<Record<string, number>>;

/** What was counted in one span of time. */
export interface StatsSpan {
  readonly total: number;
  readonly counts: Counts;
  readonly latency_ms: Quantiles;
}

/** The parts of subjects that statistics count. */
type Part = 'telemetry' | 'device' | 'account' | 'ip' | 'visitor';

/** A span with its beginning, RFC 3339. */
export interface StatsStep extends StatsSpan {
  readonly at: string;
}

interface RuleStats {
  readonly fired: number;
  readonly unknown: number;
  readonly waived: number;
  readonly satisfied: number;
  readonly labels: Counts;
  readonly precision: number | null;
}

/** What was counted in a window. */
interface StatsWindow {
  readonly since: string;
  readonly until: string;
  readonly steps: readonly StatsStep[];
  readonly totals: StatsSpan & {
    readonly degraded: number;
    readonly provider_latency_ms: Readonly<Record<string, Quantiles>>;
    /** Only where it was asked for. */
    readonly distinct?: Readonly<Record<Part, number>> | undefined;
  };
  /** Only by two groups. */
  readonly pairs?: readonly { readonly values: readonly string[]; readonly count: number }[] | undefined;
  readonly rules?: Readonly<Record<string, RuleStats>> | undefined;
  /** Decisions of before were not counted; null where all were. */
  readonly covered_since: string | null;
}

/** The answer of GET /v1/stats. */
export interface Stats extends StatsWindow {
  readonly step_seconds: number;
  /** The window before, where it was asked for. */
  readonly previous?: StatsWindow | undefined;
}

/** A provider as `GET /v1/providers` tells of it. */
export interface ProviderState {
  readonly id: string;
  readonly enabled: boolean;
  readonly circuit: 'closed' | 'open' | 'half_open';
  readonly suspect: boolean;
}

/** What the page reads of GET /v1/policy. */
export interface PolicyInForce {
  readonly id: string;
  readonly hash: string;
  readonly document: { readonly rules: readonly { readonly id: string; readonly reason: string }[] };
}

/** A gap of the stream. */
export interface Gap {
  readonly cause: 'not_kept' | 'dropped';
  readonly dropped: number | null;
  readonly from: string | null;
  readonly until: string | null;
}

/** GET /v1/session. */
export interface SessionState {
  readonly signed_in: boolean;
  /** Whether people can sign in with OpenID Connect. */
  readonly openid: boolean;
  /** The id of the API key, or the name of the person; absent where nobody is signed in. */
  readonly caller?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
}

/** GET /v1/alerts. */
export interface AlertsAnswer {
  readonly read_at: string | null;
  readonly alerts: readonly AlertOnPage[];
}

/** One of them. */
export interface AlertOnPage {
  readonly name: string;
  readonly when: string;
  readonly severity: 'info' | 'warning' | 'critical';
  readonly description: string | null;
  readonly state: 'ok' | 'too_few' | 'unknown' | 'pending' | 'firing';
  readonly since: string | null;
  readonly fired_at: string | null;
  readonly value: number | null;
  readonly threshold: number | null;
  readonly n: number | null;
  readonly about: string | null;
  readonly why: string | null;
}
