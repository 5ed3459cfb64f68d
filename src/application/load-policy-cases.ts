import type { CompiledPolicy } from '../domain/policy/compile.ts';
import type { SpaceProvider } from '../domain/policy-analysis/build-space.ts';
import { type PolicyCase, policyFileOf, readCases } from '../domain/policy-tests/read-cases.ts';
import { failure, type Result, success } from '../domain/result.ts';
import type { LocatedDocument } from './load-policy.ts';

/** A parsed file of cases, before its policy is known. */
interface CaseDocument {
  /** The file of the policy, as the document names it. */
  readonly policyFile: string;
  /** Every mistake as `line:column: message`. */
  readonly read: (
    policy: CompiledPolicy,
    providers: readonly SpaceProvider[],
  ) => Result<readonly LocatedCase[], string>;
  /** A mistake in which policy it names, likewise. */
  readonly refusePolicy: (message: string) => string;
}

/** A case with where it stands; lines and columns count from 1. */
export interface LocatedCase extends PolicyCase {
  readonly line: number;
  readonly column: number;
}

/** A file of cases, or what is wrong with it as `line:column: message`. */
export function parseCases(
  text: string,
  parse: (text: string) => LocatedDocument,
): Result<CaseDocument, string> {
  const document = parse(text);
  if (document.mistakes.length > 0) return failure(document.mistakes);
  const refusePolicy = (message: string): string =>
    document.describe([{ path: ['policy'], isKey: false, offset: null, message }])[0] ?? message;
  const policyFile = policyFileOf(document.value);
  if (policyFile === null) return failure([refusePolicy('must name the file of the policy')]);
  return success({
    policyFile,
    refusePolicy,
    read: (policy, providers) => {
      const read = readCases(document.value, policy, providers);
      if (!read.ok) return failure(document.describe(read.mistakes));
      return success(read.value.map((one) => ({ ...one, ...document.locate(one.path) })));
    },
  });
}
