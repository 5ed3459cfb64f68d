import type { CompiledPolicy } from '../policy/compile.ts';
import { strictnessOf, type Verdict } from '../verdict.ts';
import type { Budget, Reached } from './combine.ts';
import { verdictOf } from './contribution.ts';
import { type Finding, showFirst, showWith, toFinding } from './finding.ts';
import { type BeforeAfter, findLacking, findLossOf, findLost, type Lacking } from './loss-questions.ts';
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
    if (findLost(prepared, place) === -1 || (dimension.kind === 'signal' && !isWaivedBy(prepared, place)))
      return [];
    const found = findLossOf(prepared, place, budget);
    if (found === null)
      return [toFinding('not_answered', `what losing ${dimension.name} does: there is too much to combine`)];
    const groups = Map.groupBy(found.reached, ({ summary }) => {
      const [was, is] = verdictsOf(policy, summary);
      return strictnessOf(is) < strictnessOf(was) ? (`${was} ${is}` as const) : null;
    });
    return [...groups].flatMap(([change, group]) => {
      if (change === null) return [];
      const [was, is] = change.split(' ') as [Verdict, Verdict];
      const message = `losing ${dimension.name} makes ${is} of ${was}`;
      return [
        toFinding(
          is === 'ALLOW' ? 'loss_allows' : 'loss_softens',
          message,
          showLoss(prepared, policy, place, group),
        ),
      ];
    });
  });
}

/** No loss makes anything milder than CHALLENGE without a waiver (docs/adr/0055), so parts of facts are not asked about. */
function isWaivedBy({ rules }: Prepared, place: number): boolean {
  return rules.some(
    ({ rule: { source }, table }) =>
      source.on_unknown === 'IGNORE' && !source.observe && table.scope.includes(place),
  );
}

function verdictsOf(policy: CompiledPolicy, summary: BeforeAfter): readonly [Verdict, Verdict] {
  return [
    verdictOf(policy, summary.level, summary.isExempted),
    verdictOf(policy, summary.levelAfter, summary.isExemptedAfter),
  ];
}

function showLoss(
  prepared: Prepared,
  policy: CompiledPolicy,
  place: number,
  group: readonly Reached<BeforeAfter>[],
): Pick<Finding, 'witness' | 'before' | 'isUnproven'> {
  const { space } = prepared;
  const lost = findLost(prepared, place);
  for (const { assignment, summary } of group) {
    const [was, is] = verdictsOf(policy, summary);
    const before = showWith(policy, space, assignment, ({ verdict }) => verdict === was);
    const after = new Map([...assignment, [place, lost]]);
    const witness = showWith(policy, space, after, ({ verdict }) => verdict === is);
    if (before !== null && witness !== null) return { witness, before };
  }
  return { isUnproven: true };
}
