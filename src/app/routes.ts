import type { FastifyInstance } from 'fastify';
import { type GatewayDependencies, gatewayRoutes } from '../gateways/routes.ts';
import type { DecisionReadDependencies } from '../http/decision-log/decision-reads.ts';
import { compressReads } from '../http/plugins/compress-reads.ts';
import { describeRoutes } from '../http/plugins/openapi.ts';
import { type ProtectOptions, protect } from '../http/plugins/protect.ts';
import { type AlertsDependencies, alertsRoutes } from '../http/routes/alerts.ts';
import {
  type AuthzenConfigurationDependencies,
  type AuthzenDependencies,
  authzenConfigurationRoutes,
  authzenRoutes,
} from '../http/routes/authzen.ts';
import { type BacktestDependencies, backtestRoutes } from '../http/routes/backtests.ts';
import { decideRoutes } from '../http/routes/decide.ts';
import { type DecideBatchDependencies, decideBatchRoutes } from '../http/routes/decide-batch.ts';
import { decisionExportRoutes } from '../http/routes/decision-export.ts';
import { decisionStreamRoutes } from '../http/routes/decision-stream.ts';
import { decisionsRoutes } from '../http/routes/decisions.ts';
import { type EventDependencies, eventRoutes } from '../http/routes/events.ts';
import { type EvidenceDependencies, evidenceRoutes } from '../http/routes/evidence.ts';
import { findSubjectRoutes } from '../http/routes/find-subject.ts';
import { type ForgetDependencies, forgetSubjectRoutes } from '../http/routes/forget-subject.ts';
import { type HealthDependencies, healthRoutes } from '../http/routes/health.ts';
import { listFileRoutes } from '../http/routes/list-files.ts';
import { type ListDependencies, listRoutes } from '../http/routes/lists.ts';
import { callerMetricsRoutes, type MetricsSource, metricsRoutes } from '../http/routes/metrics.ts';
import { oidcRoutes } from '../http/routes/oidc.ts';
import { outcomeRoutes } from '../http/routes/outcomes.ts';
import { type PoliciesDependencies, policiesRoutes } from '../http/routes/policies.ts';
import { type PolicyDependencies, policyRoutes } from '../http/routes/policy.ts';
import { type PolicyAnalysisDependencies, policyAnalysisRoutes } from '../http/routes/policy-analysis.ts';
import { type PolicyHistoryDependencies, policyHistoryRoutes } from '../http/routes/policy-history.ts';
import { type PromotionDependencies, promotionRoutes } from '../http/routes/promotion.ts';
import { type ProvidersDependencies, providersRoutes } from '../http/routes/providers.ts';
import { type ReviewDependencies, reviewRoutes } from '../http/routes/review.ts';
import { ruleStatsRoutes } from '../http/routes/rule-stats.ts';
import { type SessionDependencies, sessionRoutes, sessionStateRoutes } from '../http/routes/session.ts';
import { type SharedSignalDependencies, sharedSignalRoutes } from '../http/routes/shared-signals.ts';
import { statsRoutes } from '../http/routes/stats.ts';
import { type StepUpDependencies, stepUpRoutes } from '../http/routes/step-ups.ts';
import { subjectHistoryRoutes } from '../http/routes/subject-history.ts';
import { type SubjectMemoryDependencies, subjectMemoryRoutes } from '../http/routes/subject-memory.ts';
import type { AppContext } from './context.ts';

/** What each group of routes uses. Null: the service has no such routes. */
export interface RouteDependencies {
  readonly health: HealthDependencies;
  readonly metrics: MetricsSource | null;
  readonly gateways: GatewayDependencies;
  /** What every request passes that needs an API key. */
  readonly protect: ProtectOptions;
  readonly sessions: SessionDependencies | null;
  readonly decide: DecideBatchDependencies & AuthzenDependencies;
  readonly authzenConfiguration: AuthzenConfigurationDependencies | null;
  readonly stepUps: StepUpDependencies;
  readonly policy: PolicyDependencies;
  readonly policies: PoliciesDependencies;
  readonly promotion: PromotionDependencies;
  readonly policyHistory: PolicyHistoryDependencies;
  readonly policyAnalysis: PolicyAnalysisDependencies;
  readonly lists: ListDependencies;
  readonly subjectMemory: SubjectMemoryDependencies;
  readonly forgetting: EvidenceDependencies & ForgetDependencies;
  readonly events: EventDependencies;
  readonly sharedSignals: SharedSignalDependencies | null;
  readonly decisions: DecisionReadDependencies | null;
  readonly backtests: BacktestDependencies | null;
  readonly review: ReviewDependencies | null;
  readonly providers: ProvidersDependencies;
  readonly alerts: AlertsDependencies;
  readonly callerMetrics: MetricsSource | null;
}

/**
 * Registers every group of routes, and the description of them all. Without `service` all of them are
 * described, and none answers.
 */
export async function registerRoutes(
  app: FastifyInstance,
  context: Pick<AppContext, 'version' | 'providers'>,
  service: RouteDependencies | null,
): Promise<void> {
  await describeRoutes(app, context);
  await app.register(healthRoutes, { serve: service?.health ?? null });
  if (service?.metrics !== null) await app.register(metricsRoutes, { serve: service?.metrics ?? null });
  if (service?.authzenConfiguration !== null)
    await app.register(authzenConfigurationRoutes, { serve: service?.authzenConfiguration ?? null });
  if (service?.sessions !== null)
    await app.register(sessionStateRoutes, { serve: service?.sessions ?? null });
  const openId = service?.sessions?.openId ?? null;
  if (openId !== null) await app.register(oidcRoutes, { openId });
  await app.register(gatewayRoutes, { serve: service?.gateways ?? null });
  await app.register(async (api) => {
    if (service !== null) await protect(api, service.protect);
    if (service?.sessions !== null) await api.register(sessionRoutes, { serve: service?.sessions ?? null });
    await api.register(decideRoutes, { ...context, serve: service?.decide ?? null });
    await api.register(decideBatchRoutes, { ...context, serve: service?.decide ?? null });
    await api.register(authzenRoutes, { serve: service?.decide ?? null });
    await api.register(stepUpRoutes, { ...context, serve: service?.stepUps ?? null });
    await api.register(evidenceRoutes, { ...context, serve: service?.forgetting ?? null });
    await api.register(forgetSubjectRoutes, { serve: service?.forgetting ?? null });
    await api.register(eventRoutes, { ...context, serve: service?.events ?? null });
    if (service?.sharedSignals !== null)
      await api.register(sharedSignalRoutes, { serve: service?.sharedSignals ?? null });
    await api.register(listFileRoutes, { serve: service?.lists ?? null });
    await api.register(async (reads) => registerReads(reads, service));
    if (service?.callerMetrics !== null)
      await api.register(callerMetricsRoutes, { serve: service?.callerMetrics ?? null });
  });
}

/** Registers the groups whose answers people and their pages read. Decisions are not among them. */
async function registerReads(reads: FastifyInstance, service: RouteDependencies | null): Promise<void> {
  await compressReads(reads);
  await reads.register(policyRoutes, { serve: service?.policy ?? null });
  await reads.register(policiesRoutes, { serve: service?.policies ?? null });
  await reads.register(promotionRoutes, { serve: service?.promotion ?? null });
  await reads.register(policyHistoryRoutes, { serve: service?.policyHistory ?? null });
  await reads.register(policyAnalysisRoutes, { serve: service?.policyAnalysis ?? null });
  await reads.register(listRoutes, { serve: service?.lists ?? null });
  await reads.register(subjectMemoryRoutes, { serve: service?.subjectMemory ?? null });
  if (service?.decisions !== null) await registerDecisionReads(reads, service?.decisions ?? null);
  if (service?.review !== null) await reads.register(reviewRoutes, { serve: service?.review ?? null });
  if (service?.backtests !== null)
    await reads.register(backtestRoutes, { serve: service?.backtests ?? null });
  await reads.register(alertsRoutes, { serve: service?.alerts ?? null });
  await reads.register(providersRoutes, { serve: service?.providers ?? null });
}

/** Registers the groups that read the decision log. */
export async function registerDecisionReads(
  api: FastifyInstance,
  serve: DecisionReadDependencies | null,
): Promise<void> {
  await api.register(decisionsRoutes, { serve });
  await api.register(decisionStreamRoutes, { serve });
  await api.register(decisionExportRoutes, { serve });
  await api.register(outcomeRoutes, { serve });
  await api.register(statsRoutes, { serve });
  await api.register(ruleStatsRoutes, { serve });
  await api.register(subjectHistoryRoutes, { serve });
  await api.register(findSubjectRoutes, { serve });
}
