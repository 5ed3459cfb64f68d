/** One situation of an alert, as series in the notation of `promtool test rules`. */
export interface AlertCase {
  readonly alert: string;
  /** Each `series values`; a job of its own is added to the labels. */
  readonly fires: readonly string[];
  /** The same, or nearly, where it must stay silent. */
  readonly silent: readonly string[];
  /** When it has to fire, and to be silent, in minutes; 30 unless it is said. */
  readonly atMinutes?: number;
  /** Minutes between two values, and between two looks at the rules; 1 unless it is said. */
  readonly stepMinutes?: number;
}

/** A decision a second, with `others` beside. */
const BUSY = 'riskgate_decisions_total{decision="ALLOW",degraded="false"} 0+60x60';
const CALLS = 'riskgate_provider_calls_total{provider="stytch",outcome="ok"} 0+60x100';
/** What looks back over a day goes in larger steps: 288 of them. */
const STEP_MINUTES = 5;
const DAY_STEPS = 288;
const AFTER_A_DAY = { stepMinutes: STEP_MINUTES, atMinutes: (DAY_STEPS + 8) * STEP_MINUTES };
const BUSY_DAY = decisions('ALLOW', '0+300x320');

function decisions(decision: string, values: string, degraded = 'false'): string {
  return `riskgate_decisions_total{decision="${decision}",degraded="${degraded}"} ${values}`;
}

/** Every alert, when it fires, and a neighbour in which it does not. */
export const ALERT_CASES: readonly AlertCase[] = [
  { alert: 'RiskgateDown', fires: ['up 1x10 0x30'], silent: ['up 1x28 0x10'] },
  { alert: 'RiskgateAbsent', fires: ['up 1x40'], silent: ['riskgate_build_info 1x40'] },
  {
    alert: 'RiskgateRestarting',
    fires: ['process_start_time_seconds 1 1 600 600 1200 1200 1800x40'],
    silent: ['process_start_time_seconds 1 1 600 600 1200x40'],
  },
  {
    alert: 'RiskgateInternalErrors',
    fires: ['riskgate_refusals_total{code="internal"} 0x25 1x20'],
    silent: ['riskgate_refusals_total{code="invalid_request"} 0+100x40'],
  },
  {
    alert: 'RiskgateOverloaded',
    fires: [BUSY, 'riskgate_refusals_total{code="overloaded"} 0+1x40'],
    silent: [BUSY, 'riskgate_refusals_total{code="overloaded"} 0+0.5x40'],
  },
  {
    alert: 'RiskgateSlow',
    fires: ['riskgate_decision_seconds_bucket{le="0.5"} 0+94x60', 'riskgate_decision_seconds_count 0+100x60'],
    silent: [
      'riskgate_decision_seconds_bucket{le="0.5"} 0+96x60',
      'riskgate_decision_seconds_count 0+100x60',
    ],
  },
  {
    alert: 'RiskgateEventLoopDelayed',
    fires: ['riskgate_event_loop_delay_seconds{stat="p99"} 0.15x40'],
    silent: [
      'riskgate_event_loop_delay_seconds{stat="p99"} 0.05x40',
      'riskgate_event_loop_delay_seconds{stat="max"} 2x40',
    ],
  },
  {
    alert: 'RiskgateDegraded',
    fires: [BUSY, decisions('CHALLENGE', '0+8x60', 'true')],
    silent: [BUSY, decisions('CHALLENGE', '0+6x60', 'true'), decisions('BLOCK', '0+60x60')],
  },
  {
    alert: 'RiskgateBlockShareRose',
    fires: [BUSY_DAY, decisions('BLOCK', `0+5x${DAY_STEPS} 1440+150x30`)],
    silent: [BUSY_DAY, decisions('BLOCK', '0+150x320')],
    ...AFTER_A_DAY,
  },
  {
    alert: 'RiskgateChallengeShareRose',
    fires: [BUSY_DAY, decisions('CHALLENGE', `0+10x${DAY_STEPS} 2880+150x30`)],
    silent: [BUSY_DAY, decisions('CHALLENGE', '0+150x320')],
    ...AFTER_A_DAY,
  },
  {
    alert: 'RiskgateNotAsked',
    fires: [decisions('ALLOW', `0+300x${DAY_STEPS} 86400x30`)],
    silent: [decisions('ALLOW', `0+300x${DAY_STEPS} 86400+30x30`)],
    ...AFTER_A_DAY,
  },
  {
    alert: 'RiskgateReplays',
    fires: [
      'riskgate_custody_results_total{result="bound_elsewhere"} 0+6x60',
      'riskgate_custody_results_total{result="first_use"} 0+60x60',
    ],
    silent: [
      'riskgate_custody_results_total{result="bound_elsewhere"} 0+1x60',
      'riskgate_custody_results_total{result="first_use"} 0+60x60',
    ],
  },
  {
    alert: 'RiskgateProviderCircuitOpen',
    // It is half open for moments, which are no end of it.
    fires: [
      'riskgate_provider_breaker_state{provider="stytch",state="open"} 1x9 1 0 1 0 1 0x3 1x40',
      'riskgate_provider_breaker_state{provider="stytch",state="half_open"} 0x9 0 1 0 1 0 1x3 0x40',
    ],
    silent: [
      'riskgate_provider_breaker_state{provider="stytch",state="open"} 1x9 0x40',
      'riskgate_provider_breaker_state{provider="stytch",state="half_open"} 0x40',
      'riskgate_provider_breaker_state{provider="stytch",state="closed"} 0x9 1x40',
    ],
  },
  {
    alert: 'RiskgateProviderSuspect',
    fires: ['riskgate_provider_suspect{provider="stytch"} 1x40'],
    silent: ['riskgate_provider_suspect{provider="stytch"} 0x40'],
  },
  {
    alert: 'RiskgateProviderUnauthorized',
    fires: [CALLS, 'riskgate_provider_calls_total{provider="stytch",outcome="unauthorized"} 0x25 1x20'],
    silent: [CALLS, 'riskgate_provider_calls_total{provider="stytch",outcome="unauthorized"} 0x40'],
  },
  {
    alert: 'RiskgateProviderFailing',
    fires: [CALLS, 'riskgate_provider_calls_total{provider="stytch",outcome="malformed"} 0+8x60'],
    silent: [
      CALLS,
      'riskgate_provider_calls_total{provider="stytch",outcome="malformed"} 0+6x60',
      'riskgate_provider_calls_total{provider="stytch",outcome="not_found"} 0+60x60',
    ],
  },
  {
    alert: 'RiskgateRedisDown',
    fires: ['riskgate_redis_state{state="down"} 0x10 1x40', 'riskgate_redis_state{state="up"} 1x10 0x40'],
    silent: ['riskgate_redis_state{state="down"} 0x40', 'riskgate_redis_state{state="absent"} 1x40'],
  },
  {
    alert: 'RiskgateRedisRefuses',
    fires: ['riskgate_redis_failures_total{kind="refused"} 0x25 1+1x20'],
    silent: ['riskgate_redis_failures_total{kind="lost"} 0+10x40'],
  },
  {
    alert: 'RiskgateRedisSlow',
    fires: [BUSY, 'riskgate_redis_failures_total{kind="timeout"} 0+1x60'],
    silent: [BUSY, 'riskgate_redis_failures_total{kind="timeout"} 0+0.5x60'],
  },
  {
    alert: 'RiskgateCustodyUnknown',
    fires: [
      'riskgate_custody_results_total{result="unknown"} 0+2x60',
      'riskgate_custody_results_total{result="first_use"} 0+60x60',
    ],
    silent: [
      'riskgate_custody_results_total{result="unknown"} 0+1x60',
      'riskgate_custody_results_total{result="first_use"} 0+60x60',
    ],
  },
  {
    alert: 'RiskgateCustodyLost',
    fires: ['riskgate_memory_losses_total{memory="custody"} 0x25 1x20'],
    silent: [
      'riskgate_memory_losses_total{memory="custody"} 1x40',
      'riskgate_memory_losses_total{memory="activity"} 0x25 1x20',
    ],
  },
  {
    alert: 'RiskgateActivityLost',
    fires: ['riskgate_memory_losses_total{memory="activity"} 0x25 1x20'],
    silent: [
      'riskgate_memory_losses_total{memory="activity"} 1x40',
      'riskgate_memory_losses_total{memory="custody"} 0x25 1x20',
    ],
  },
  {
    alert: 'RiskgateListsNotCurrent',
    fires: ['riskgate_lists_state{state="restoring"} 1x40'],
    silent: ['riskgate_lists_state{state="current"} 1x40', 'riskgate_lists_state{state="stale"} 0x40'],
  },
  {
    alert: 'RiskgateRecordsDropped',
    fires: ['riskgate_decision_log_records_total{sink="redis",result="dropped"} 0x25 3x20'],
    silent: ['riskgate_decision_log_records_total{sink="redis",result="appended"} 0+60x40'],
  },
  {
    alert: 'RiskgateDecisionsUnrecorded',
    fires: ['riskgate_refusals_total{code="decision_log_unavailable"} 0x25 2+1x20'],
    silent: ['riskgate_refusals_total{code="decision_log_unavailable"} 2x40'],
  },
  {
    alert: 'RiskgateRecordsFailing',
    fires: ['riskgate_decision_log_failures_total{sink="kafka"} 0+1x40'],
    silent: ['riskgate_decision_log_failures_total{sink="kafka"} 0x25 1x20'],
  },
  {
    alert: 'RiskgateRecordsWaiting',
    fires: ['riskgate_decision_log_waiting{sink="postgres"} 5001x40'],
    silent: ['riskgate_decision_log_waiting{sink="postgres"} 5000x40'],
  },
  {
    alert: 'RiskgatePolicyRefused',
    fires: ['riskgate_policy_reload_successful 0x40'],
    silent: ['riskgate_policy_reload_successful 1x40', 'riskgate_policy_differs_from_file 1x40'],
  },
  {
    alert: 'RiskgatePolicyNotAgreed',
    fires: [
      'riskgate_policy_in_force_state{state="refused"} 1x40',
      'riskgate_policy_in_force_state{state="unknown"} 1x40',
      'riskgate_policy_in_force_state{state="stale"} 1x40',
    ],
    silent: [
      'riskgate_policy_in_force_state{state="put"} 1x40',
      'riskgate_policy_in_force_state{state="file"} 1x40',
      'riskgate_policy_in_force_state{state="refused"} 0x40',
    ],
  },
  {
    alert: 'RiskgateFileRefused',
    fires: ['riskgate_file_reload_successful{file="api_keys"} 0x40'],
    silent: [
      'riskgate_file_reload_successful{file="api_keys"} 1x40',
      'riskgate_file_reload_successful{file="policy"} 0x40',
    ],
  },
  {
    alert: 'RiskgatePoliciesDiffer',
    fires: [
      'riskgate_policy_info{instance="a",hash="1"} 1x40',
      'riskgate_policy_info{instance="b",hash="2"} 1x40',
    ],
    silent: [
      'riskgate_policy_info{instance="a",hash="1"} 1x40',
      'riskgate_policy_info{instance="b",hash="1"} 1x40',
    ],
  },
  {
    alert: 'RiskgateCandidateFailed',
    fires: ['riskgate_candidate_results_total{result="failed"} 0x20 1x40'],
    silent: ['riskgate_candidate_results_total{result="late"} 0+1x40'],
  },
  {
    alert: 'RiskgatePromotionTakenBack',
    fires: ['riskgate_promotions_total{change="rolled_back",by="riskgate"} 0x20 1x40'],
    silent: [
      'riskgate_promotions_total{change="rolled_back",by="caller"} 0x20 1x40',
      'riskgate_promotions_total{change="watch_ended",by="riskgate"} 0x20 1x40',
    ],
  },
  {
    alert: 'RiskgatePromotionNotWatched',
    fires: [
      'riskgate_promotion_state{state="watch"} 1x40',
      'riskgate_promotion_looks_total{result="counted"} 7x40',
      'riskgate_promotion_looks_total{result="failed"} 0+12x40',
    ],
    silent: [
      'riskgate_promotion_state{state="watch",instance="a"} 1x40',
      'riskgate_promotion_state{state="unusable",instance="b"} 1x40',
      'riskgate_promotion_looks_total{result="counted",instance="a"} 0+12x40',
      'riskgate_promotion_looks_total{result="failed",instance="b"} 0+12x40',
    ],
  },
  {
    alert: 'RiskgatePromotionNotEverywhere',
    fires: ['riskgate_promotion_state{state="unusable"} 1x40'],
    silent: [
      'riskgate_promotion_state{state="unusable"} 0x40',
      'riskgate_promotion_state{state="share"} 1x40',
    ],
  },
  {
    alert: 'RiskgateWrongKeys',
    fires: ['riskgate_refusals_total{code="unauthenticated"} 0+90x40'],
    silent: ['riskgate_refusals_total{code="unauthenticated"} 0+30x40'],
  },
  {
    alert: 'RiskgateCallersLimited',
    fires: [BUSY, 'riskgate_refusals_total{code="rate_limited"} 0+6x60'],
    silent: [BUSY, 'riskgate_refusals_total{code="rate_limited"} 0+2x60'],
  },
  {
    alert: 'RiskgateUnreadableAddresses',
    fires: ['riskgate_unreadable_addresses_total{why="missing"} 0+2x60'],
    silent: ['riskgate_unreadable_addresses_total{why="missing"} 0x40'],
    atMinutes: 45,
  },
  {
    alert: 'RiskgateWebhooksLost',
    fires: ['riskgate_webhooks_total{target="soc",result="given_up"} 0x20 1x40'],
    silent: ['riskgate_webhooks_total{target="soc",result="retried"} 0+1x40'],
  },
  {
    alert: 'RiskgateWebhooksFailing',
    fires: [
      'riskgate_webhooks_total{target="soc",result="retried"} 0+2x60',
      'riskgate_webhooks_total{target="soc",result="delivered"} 0+1x60',
    ],
    silent: [
      'riskgate_webhooks_total{target="soc",result="retried"} 0+1x60',
      'riskgate_webhooks_total{target="soc",result="delivered"} 0+2x60',
    ],
  },
  {
    alert: 'RiskgateSharedSignalsRefused',
    fires: ['riskgate_shared_signals_total{result="invalid_key"} 0+1x60'],
    silent: ['riskgate_shared_signals_total{result="known"} 0+1x60'],
    atMinutes: 45,
  },
];
