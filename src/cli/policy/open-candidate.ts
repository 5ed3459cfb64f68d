import { casesBeside } from '../../app/cases-beside.ts';
import { POLICY_BYTES_MAX } from '../../app/check-file.ts';
import { EXIT_CODES } from '../command.ts';
import { readFile } from './open-policy.ts';
import { requirePolicy } from './require-policy.ts';

/** A policy file as a service is told of it. */
interface OpenedCandidate {
  readonly id: string;
  readonly hash: string;
  readonly text: string;
  /** The text of the cases beside it; null where there are none. */
  readonly tests: string | null;
}

/** Opens a policy and its cases. Throws a `CommandFailure` of wrong usage with every mistake. */
export function openCandidate(file: string): OpenedCandidate {
  const { id, hash, text } = requirePolicy(file);
  const path = casesBeside(file);
  const tests = path === null ? null : readFile(path, POLICY_BYTES_MAX, EXIT_CODES.usage);
  return { id, hash, text: text ?? '', tests };
}
