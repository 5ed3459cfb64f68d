import { type CompiledPolicy, compilePolicy } from '../domain/policy/compile.ts';
import type { CompileOptions } from '../domain/policy/compile-condition.ts';
import type { PolicyMistake } from '../domain/policy/document.ts';
import { placeName } from '../domain/policy/document-shape.ts';
import { findComment } from '../domain/policy/find-comment.ts';
import { findWarnings } from '../domain/policy/find-warnings.ts';
import type { SpaceProvider } from '../domain/policy-analysis/build-space.ts';
import { checkNever } from '../domain/policy-analysis/check-never.ts';
import { failure, type Result } from '../domain/result.ts';

/** A parsed file that knows the position of each value; lines and columns count from 1. */
export interface LocatedDocument {
  readonly value: unknown;
  /** Mistakes in the syntax of the file, as `line:column: message`. */
  readonly mistakes: readonly string[];
  describe(mistakes: readonly NamedMistake[]): readonly string[];
  /** Where a value begins. */
  locate(path: readonly (string | number)[]): { readonly line: number; readonly column: number };
  /** True for text on several lines whose line breaks are read as spaces. */
  isFolded(path: readonly (string | number)[]): boolean;
}

interface NamedMistake extends PolicyMistake {
  /** What people call the place, where that is not its path. */
  readonly name?: string;
}

interface LoadPolicyOptions extends Omit<CompileOptions, 'hash' | 'text'> {
  /** In the `texts`, which are conditions, a comment of the file format must not follow unquoted text. */
  readonly parse: (text: string, options: { readonly texts: readonly string[] }) => LocatedDocument;
  /** Hex digest of a text. */
  readonly sha256: (text: string) => string;
  /** What the assertions of the policy are proven with; absent proves none. */
  readonly proof?: {
    readonly providers: readonly SpaceProvider[];
    /** Told which of them could not be proven. */
    readonly onUnproven: (assertions: readonly string[]) => void;
  };
}

/** The fields whose value is free text. */
const TEXTS = { texts: ['when', 'description'] } as const;

/** Compiles the text of a policy file, or returns every mistake in it as `line:column: message`. */
export function loadPolicy(text: string, options: LoadPolicyOptions): Result<CompiledPolicy, string> {
  const document = options.parse(text, TEXTS);
  if (document.mistakes.length > 0) return failure(document.mistakes);
  const compiled = compilePolicy(document.value, {
    ...options,
    text,
    hash: `sha256:${options.sha256(text)}`,
  });
  if (!compiled.ok) return failure(describe(compiled.mistakes, document));
  const cut = findFoldedComments(compiled.value, document);
  if (cut.length > 0) return failure(describe(cut, document));
  const broken = findBroken(compiled.value, options);
  return broken.length > 0 ? failure(describe(broken, document)) : compiled;
}

/** A mistake for each assertion that does not hold. */
function findBroken(policy: CompiledPolicy, options: LoadPolicyOptions): readonly PolicyMistake[] {
  if (options.proof === undefined) return [];
  const { providers, onUnproven } = options.proof;
  const { mistakes, findings } = checkNever(policy, providers, options);
  const [broken, unproven] = ['never_violated', 'never_unproven'].map((kind) =>
    findings.filter((finding) => finding.kind === kind),
  );
  if (unproven !== undefined && unproven.length > 0) onUnproven(unproven.map(({ message }) => message));
  const toMistake = ({ place, message, witness }: (typeof findings)[number]): PolicyMistake => ({
    path: ['never', place, 'when'],
    isKey: false,
    offset: null,
    message: `${message}: ${JSON.stringify(witness)}`,
  });
  return [...mistakes, ...(broken ?? []).map(toMistake)];
}

/** What `findWarnings` has to say of a policy that was loaded from this text, as `line:column: message`. */
export function describeWarnings(
  policy: CompiledPolicy,
  text: string,
  parse: LoadPolicyOptions['parse'],
): readonly string[] {
  const warnings = findWarnings(policy);
  return warnings.length === 0 ? [] : describe(warnings, parse(text, TEXTS));
}

function describe(mistakes: readonly PolicyMistake[], document: LocatedDocument): readonly string[] {
  const named = mistakes.map((mistake) => ({ ...mistake, name: placeName(document.value, mistake.path) }));
  return document.describe(named);
}

/** A comment in CEL runs to the end of its line, which in folded text is the end of the condition. */
function findFoldedComments({ rules }: CompiledPolicy, document: LocatedDocument): readonly PolicyMistake[] {
  return rules.flatMap(({ source: { when } }, index) => {
    const path = ['rules', index, 'when'];
    const offset = findComment(when);
    if (offset === null || !document.isFolded(path)) return [];
    const message =
      'the lines of this text are joined, so that `//` makes a comment of all that follows: write `when: |`';
    return [{ path, isKey: false, offset, message }];
  });
}
