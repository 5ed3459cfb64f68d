export type ProviderId = 'stytch' | 'mobilerun' | 'prefactor';

/** What the contract says of one provider in an answer. */
export interface ProviderBody {
  readonly outcome: string;
  readonly cache: string;
  readonly latency_ms: number;
  readonly age_ms: number;
  readonly request_id: string | null;
  readonly suspect?: boolean;
}

/** The answer of POST /v1/decide as the contract spells it. */
export interface DecisionBody {
  readonly decision_id: string;
  readonly decision: string;
  readonly reasons: readonly {
    readonly code: string;
    readonly rule: string;
    readonly verdict: string;
    readonly providers: readonly string[];
    readonly certain: boolean;
    readonly satisfied?: boolean;
    readonly step_up?: { readonly age_seconds: number; readonly method: string; readonly acr: string };
  }[];
  readonly degraded: boolean;
  readonly waivers: readonly unknown[];
  readonly providers: Readonly<Record<ProviderId, ProviderBody>>;
  readonly provider_suspect?: readonly ProviderId[];
  readonly policy: { readonly id: string; readonly hash: string };
  readonly decided_at: string;
  readonly expires_at: string;
  /** Of a CHALLENGE alone. */
  readonly challenge?: {
    readonly acr_values: readonly string[] | null;
    readonly max_age_seconds: number | null;
    readonly report_to: string;
  };
}

/** RFC 9457, as the contract extends it. */
export interface ProblemBody {
  readonly status: number;
  readonly title: string;
  readonly code: string;
  readonly request_id: string;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
}

/** An answer with its body parsed; `json` is undefined where the body is not JSON. */
export interface Answer<Body> {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  readonly json: Body;
}
