import type { CompiledPolicy } from '../policy/compile.ts';
import type { Budget } from './budget.ts';
import { verdictOf } from './contribution.ts';
import { type Finding, showFirst, toFinding } from './finding.ts';
import { findLacking, findLost, type Lacking } from './loss-questions.ts';
import { findMilderChanges } from './milder-changes.ts';
import type { Prepared } from './prepare.ts';

/** What lost evidence does to the answers of a policy. */
export function findLosses(prepared: Prepared, policy: CompiledPolicy, budget: Budget): readonly Finding[] {
  return [...findDegradedAllow(prepared, policy, budget), ...findMilder(prepared, policy, budget)];
}

function findDegradedAllow(prepared: Prepared, policy: CompiledPolicy, budget: Budget): readonly Finding[] {
  const { space, rules } = prepared;
  const lacking = findLacking(prepared, budget);
  if (lacking === null)
    return [toFinding('not_answered', 'what is ALLOW while degraded: there is too much to combine')];
  const allowed = lacking.reached.filter(
    ({ summary }) => summary.lost !== -1 && verdictOf(policy, summary.level, summary.isExempted) === 'ALLOW',
  );
  // That several are lost tells nothing where each alone does.
  const alone = allowed.filter(({ summary }) => summary.lost >= 0);
  const groups = Map.groupBy(alone.length > 0 ? alone : allowed, ({ summary }) => {
    const source = space.dimensions[summary.lost]?.source ?? '';
    return `${source} ${isWaived(summary) ? summary.waived : ''}`;
  });
  return [...groups.values()].map((group) => {
    const names = new Set(
      group.map(({ summary }) => space.dimensions[summary.lost]?.name ?? 'several sources'),
    );
    const lost = listOf([...names]);
    const shown = showFirst(policy, space, group, ({ verdict, degraded }) => verdict === 'ALLOW' && degraded);
    const waiver = group.find(({ summary }) => isWaived(summary));
    if (waiver === undefined)
      return toFinding('degraded_allow', `ALLOW without ${lost}, which such answers do not depend on`, shown);
    const rule = rules[waiver.summary.waived]?.rule.source.id;
    const who = rule === undefined ? 'several rules are waived' : `${rule} is waived`;
    return toFinding('waived_allow', `ALLOW without ${lost}: ${who}`, {
      ...shown,
      ...(rule !== undefined && { rule }),
    });
  });
}

const LISTED_MAX = 3;

function listOf(names: readonly string[]): string {
  const more = names.length - LISTED_MAX;
  return `${names.slice(0, LISTED_MAX).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function isWaived({ waived, isExempted }: Lacking): boolean {
  return waived !== -1 && !isExempted;
}

/** For each source, and each part of a fact, what losing it makes of answers. */
function findMilder(prepared: Prepared, policy: CompiledPolicy, budget: Budget): readonly Finding[] {
  return prepared.space.dimensions.flatMap((dimension, place) => {
    const lost = findLost(prepared, place);
    if (lost === -1 || (dimension.kind === 'signal' && !isWaivedBy(prepared, place))) return [];
    const changes = findMilderChanges(prepared, policy, place, lost, budget);
    if (changes === null)
      return [toFinding('not_answered', `what losing ${dimension.name} does: there is too much to combine`)];
    return changes.map(({ was, is, shown }) =>
      toFinding(
        is === 'ALLOW' ? 'loss_allows' : 'loss_softens',
        `losing ${dimension.name} makes ${is} of ${was}`,
        shown,
      ),
    );
  });
}

/**
 * No loss makes anything milder than CHALLENGE without a waiver (docs/adr/0055), so parts of facts are not asked
 * about.
 */
function isWaivedBy({ rules }: Prepared, place: number): boolean {
  return rules.some(
    ({ rule: { source }, table }) =>
      source.on_unknown === 'IGNORE' && !source.observe && table.scope.includes(place),
  );
}
