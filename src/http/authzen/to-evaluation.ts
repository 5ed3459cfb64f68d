import type { Decision } from '../../domain/decision.ts';
import type { FieldError } from '../../domain/errors.ts';
import type { Refusal } from '../refusal.ts';
import type { Evaluation } from '../schemas/authzen.ts';
import { statusOf, toProblem } from '../schemas/problem.ts';

/** A decision as AuthZEN tells it: yes for an ALLOW alone. */
export function toEvaluation(decision: Decision): Evaluation {
  const { id, verdict, degraded, reasons, challenge } = decision;
  const told = new Map<string, string>();
  for (const { code, rule, verdict, certain } of reasons) {
    const text = `${verdict} by the rule ${rule}${certain ? '' : ', for which evidence is missing'}`;
    const before = told.get(code);
    told.set(code, before === undefined ? text : `${before}; ${text}`);
  }
  const age = challenge?.max_age_seconds ?? null;
  return {
    decision: verdict === 'ALLOW',
    context: {
      decision_id: id,
      risk_decision: verdict,
      degraded,
      ...(told.size > 0 && { reason_admin: Object.fromEntries(told) }),
      ...(verdict === 'CHALLENGE' && { acr_values: (challenge?.acr_values ?? []).join(' ') }),
      ...(verdict === 'CHALLENGE' && age !== null && { max_age: age }),
    },
  };
}

/** An evaluation with mistakes in it, among others that have none. */
export function toMistakenEvaluation(mistakes: readonly FieldError[]): Evaluation {
  const message = mistakes.map(({ pointer, detail }) => `${pointer || '/'}: ${detail}`).join('; ');
  return { decision: false, context: { error: { status: statusOf('invalid_request'), message } } };
}

/** An evaluation that was refused, among others that were not. */
export function toRefusedEvaluation({ code, detail }: Refusal, requestId: string): Evaluation {
  const { status, title } = toProblem(code, requestId, {});
  return { decision: false, context: { error: { status, message: detail ?? title } } };
}
