import t from 'tap';
import type { z } from 'zod';
import type * as page from '../../src/dashboard/page/wire.ts';
import { VERDICTS as PAGE_VERDICTS } from '../../src/dashboard/page/wire.ts';
import type * as acts from '../../src/dashboard/page/wire-acts.ts';
import type * as policies from '../../src/dashboard/page/wire-policies.ts';
import type * as rules from '../../src/dashboard/page/wire-rules.ts';
import type * as subjects from '../../src/dashboard/page/wire-subjects.ts';
import { VERDICTS } from '../../src/domain/verdict.ts';
import type { DecisionDetail } from '../../src/http/schemas/decision-detail.ts';
import type { streamEventSchemas } from '../../src/http/schemas/decision-stream.ts';
import type { DecisionSummary, decisionsSchema } from '../../src/http/schemas/decisions.ts';
import type { foundSubjectSchema } from '../../src/http/schemas/find-subject.ts';
import type { listsSchema, putAnswerSchema } from '../../src/http/schemas/lists.ts';
import type { policiesSchema } from '../../src/http/schemas/policies.ts';
import type { policySchema } from '../../src/http/schemas/policy.ts';
import type { policyAnalysisSchema } from '../../src/http/schemas/policy-analysis.ts';
import type { keptPolicySchema, policyHistorySchema } from '../../src/http/schemas/policy-history.ts';
import type { promotionSchema } from '../../src/http/schemas/promotion.ts';
import type { providersSchema } from '../../src/http/schemas/providers.ts';
import type { claimsSchema, queuesSchema } from '../../src/http/schemas/review.ts';
import type { ruleStatsAnswerSchema } from '../../src/http/schemas/rule-stats.ts';
import type { Stats } from '../../src/http/schemas/stats.ts';
import type { subjectHistorySchema } from '../../src/http/schemas/subject-history.ts';
import type { subjectMemorySchema } from '../../src/http/schemas/subject-memory.ts';

/** Compiles only where everything that the service sends is something that the page can read. */
type Readable<Sent extends Read, Read> = [Sent, Read];

export type Contract = [
  Readable<DecisionSummary, page.DecisionSummary>,
  Readable<z.output<typeof decisionsSchema>, page.DecisionPage>,
  Readable<DecisionDetail, page.DecisionDetail>,
  Readable<Stats, page.Stats>,
  Readable<z.output<typeof subjectHistorySchema>, subjects.SubjectHistory>,
  Readable<z.output<typeof foundSubjectSchema>, subjects.FoundSubject>,
  Readable<z.output<typeof ruleStatsAnswerSchema>, rules.RuleStatistics>,
  Readable<z.output<typeof subjectMemorySchema>, subjects.SubjectMemory>,
  Readable<z.output<typeof providersSchema>['providers'][number], page.ProviderState>,
  Readable<z.output<typeof policySchema>, page.PolicyInForce>,
  Readable<z.output<typeof policiesSchema>, policies.Policies>,
  Readable<z.output<typeof policyHistorySchema>, policies.PolicyHistory>,
  Readable<z.output<typeof keptPolicySchema>, policies.KeptPolicy>,
  Readable<z.output<typeof policyAnalysisSchema>, policies.PolicyAnalysis>,
  Readable<z.output<typeof promotionSchema>, policies.Promotion>,
  Readable<z.output<(typeof streamEventSchemas)['gap']>, page.Gap>,
  Readable<z.output<typeof listsSchema>, acts.ListNames>,
  Readable<z.output<typeof putAnswerSchema>, acts.PutEntry>,
  Readable<z.output<typeof queuesSchema>, acts.ReviewQueues>,
  Readable<z.output<typeof claimsSchema>, acts.ReviewClaims>,
];

t.test('the page knows every verdict', async (t) => {
  t.strictSame(PAGE_VERDICTS, VERDICTS);
});
