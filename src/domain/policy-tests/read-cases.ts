import type { CompiledPolicy } from '../policy/compile.ts';
import type { PolicyMistake } from '../policy/document.ts';
import { toMistakes } from '../policy/document-shape.ts';
import { nearestName } from '../policy/nearest-name.ts';
import type { SpaceProvider } from '../policy-analysis/build-space.ts';
import type { Witness } from '../policy-analysis/witness.ts';
import { failure, type Result, success } from '../result.ts';
import { type CaseFile, caseFileSchema, type Expected, type Situation } from './case-schema.ts';
import { type CaseContext, toCaseWitness } from './case-witness.ts';
import { readDecisions } from './matrix-decisions.ts';
import { mergeSituations } from './merge-situations.ts';

type Path = readonly (string | number)[];

/** One case, ready to be judged. A cell of a matrix is one. */
export interface PolicyCase {
  readonly name: string;
  /** Where it stands in the file. */
  readonly path: Path;
  /** All that the engine is given. */
  readonly witness: Witness;
  readonly expected: Expected;
}

/** The file that the cases of a document are for, as it says it; null where it does not. */
export function policyFileOf(document: unknown): string | null {
  const policy: unknown = Object(document) === document ? Reflect.get(Object(document), 'policy') : null;
  return typeof policy === 'string' && policy !== '' ? policy : null;
}

/** The cases of a parsed file, or every mistake in it. */
export function readCases(
  document: unknown,
  policy: CompiledPolicy,
  providers: readonly SpaceProvider[],
): Result<readonly PolicyCase[], PolicyMistake> {
  const schema = caseFileSchema(providers);
  const parsed = schema.safeParse(document);
  if (!parsed.success)
    return failure(parsed.error.issues.flatMap((issue) => toMistakes(issue, document, schema)));
  const { evidence, now, cases, matrix } = parsed.data;
  const mistakes: PolicyMistake[] = [];
  const context: CaseContext = { policy, providers, evidence, now, mistakes };
  // A provider that is left out by mistake would be one that was not asked, and say nothing.
  const unnamed = policy.providerIds.filter(
    (id, place) => policy.neededMask & (1 << place) && evidence[id] === undefined,
  );
  for (const id of unnamed) refuse(mistakes, ['evidence'], `the policy reads ${id}: say how it ends`, true);
  const all = [
    ...cases.map((one, place) => toCase(one, ['cases', place], context)),
    ...matrix.flatMap((one, place) => expandMatrix(one, ['matrix', place], context)),
  ];
  if (cases.length + matrix.length === 0) refuse(mistakes, [], 'there is no case', false);
  refuseTwins(all, mistakes);
  for (const { expected, path } of all) refuseReasons(expected, path, policy, mistakes);
  return mistakes.length > 0 ? failure(mistakes) : success(all);
}

function refuse(mistakes: PolicyMistake[], path: Path, message: string, isKey: boolean): void {
  mistakes.push({ path, isKey, offset: null, message });
}

function toCase(given: CaseFile['cases'][number], path: Path, context: CaseContext): PolicyCase {
  const { name, description: _, decision, degraded, reasons, ...situation } = given;
  return {
    name,
    path,
    witness: toCaseWitness(situation, path, context),
    expected: { decision, degraded, reasons },
  };
}

const STRICTEST: Expected = { decision: 'BLOCK' };

/** A case for each subject in each situation. */
function expandMatrix(
  given: CaseFile['matrix'][number],
  path: Path,
  context: CaseContext,
): readonly PolicyCase[] {
  const { name, description: _, subjects, situations, decisions, ...base } = given;
  const { mistakes } = context;
  const before = mistakes.length;
  const check = (
    kind: string,
    each: string,
    { degraded: _known, ...own }: Situation & { degraded?: unknown },
  ) => toCaseWitness(mergeSituations({ now: base.now }, own), [...path, kind, each], context);
  for (const [each, own] of Object.entries(subjects)) check('subjects', each, own);
  for (const [each, own] of Object.entries(situations)) check('situations', each, own);
  for (const [kind, members] of Object.entries({ subjects, situations }))
    if (Object.keys(members).length === 0) refuse(mistakes, [...path, kind], 'has no member', true);
  const sides = [Object.keys(subjects), Object.keys(situations)] as const;
  const expected = readDecisions(decisions, sides, [...path, 'decisions'], mistakes);
  if (mistakes.length > before) return [];
  return Object.entries(subjects).flatMap(([subject, own]) =>
    Object.entries(situations).map(([situation, { degraded, ...happening }]): PolicyCase => {
      // Without a mistake there is one for each.
      const cell = expected.get(subject)?.get(situation) ?? STRICTEST;
      const merged = mergeSituations(mergeSituations(base, own), happening);
      const at = findCellPath(decisions, [...path, 'decisions'], [subject, situation]);
      return {
        name: `${name}: ${subject}, ${situation}`,
        path: at,
        witness: toCaseWitness(merged, path, context),
        expected: { ...cell, degraded: cell.degraded ?? degraded },
      };
    }),
  );
}

/** Where the decision of a cell stands: in the file, one may be for many. */
function findCellPath(decisions: unknown, path: Path, names: readonly string[]): Path {
  let [value, at] = [decisions, path];
  for (const name of names) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) break;
    value = Reflect.get(value, name);
    at = [...at, name];
  }
  return at;
}

function refuseTwins(cases: readonly PolicyCase[], mistakes: PolicyMistake[]): void {
  const seen = new Set<string>();
  for (const { name, path } of cases) {
    if (seen.has(name))
      refuse(mistakes, [...path, 'name'], `a case before it is named "${name}", too`, false);
    seen.add(name);
  }
}

/** A reason that no rule has can never be among those of a decision. */
function refuseReasons(
  { reasons = [] }: Expected,
  path: Path,
  { rules }: CompiledPolicy,
  mistakes: PolicyMistake[],
): void {
  const known = new Set(rules.map(({ source }) => source.reason));
  reasons.forEach((code, place) => {
    if (known.has(code)) return;
    const meant = nearestName(code, known);
    const suggestion = meant === null ? '' : `: did you mean ${meant}?`;
    refuse(mistakes, [...path, 'reasons', place], `no rule has the reason ${code}${suggestion}`, false);
  });
}
