import type { Problem } from './payload.ts';

/** What the text of an error tells about the device. */
export type ProblemMeaning = 'not_found' | 'unsupported' | null;

/**
 * Mobilerun has no error codes: an unknown device can be a 404 or a 500, and the status of the
 * unsupported-feature error is not documented. Only this file reads an error's text, up to this length.
 */
const TEXT_CHARS_MAX = 1024;

const NOT_FOUND = [
  /\bdevice\b[^\n]{0,512}\b(?:not found|does(?: not|n't) exist)/,
  /\b(?:unknown|no such) device\b/,
  /\binvalid (?:device[ _-]?)?id\b/,
  /\bdevice[ _-]?id\b[^\n]{0,512}\binvalid\b/,
];

const REFUSAL = String.raw`(?:\bunsupported|\bnot[ -](?:supported|implemented)|\b(?:does not|doesn't) support|\bno support for)\b`;
const FEATURE = String.raw`\b(?:feature|fingerprint)`;
const UNSUPPORTED = [
  new RegExp(`${REFUSAL}[^.\n]{0,64}${FEATURE}`),
  new RegExp(`${FEATURE}[^.\n]{0,64}${REFUSAL}`),
];

/** Words for a feature that our contract lacks, not the device. */
const ACCOUNT = /\b(?:plan|subscription|tier|upgrade|credits?|quota|billing|permission|api key)\b/;

/**
 * Words of the unsupported-feature error. The error may quote the device id, which the client chooses: an id
 * with these words could make an unknown device look like one without the feature.
 */
const MISLEADING_ID = /support|implement|feature|fingerprint/i;

/** An id that an error quotes unchanged: it needs no escaping, and is too short to be truncated. */
const PLAIN_ID = /^[\w-]{1,64}$/;

/**
 * Whether an error means that the device is unknown or that it lacks the fingerprint feature; null for
 * neither. "Not found" wins, because it is stricter.
 */
export function readProblem(problem: Problem, deviceId: string): ProblemMeaning {
  const texts = toTexts(problem, deviceId);
  const says = (patterns: readonly RegExp[]) =>
    texts.some((text) => patterns.some((pattern) => pattern.test(text)));
  if (says(NOT_FOUND)) return 'not_found';
  if (MISLEADING_ID.test(deviceId) && !PLAIN_ID.test(deviceId)) return null;
  if (says([ACCOUNT]) || isValidationError(problem)) return null;
  return says(UNSUPPORTED) ? 'unsupported' : null;
}

/** The texts of an error in lower case, bounded, without the words that a misleading id put into them. */
function toTexts(problem: Problem, deviceId: string): readonly string[] {
  const quoted = MISLEADING_ID.test(deviceId) ? deviceId.toLowerCase() : null;
  return [problem.type, problem.title, problem.detail].map((text) => {
    const lower = text.toLowerCase();
    return (quoted === null ? lower : lower.replaceAll(quoted, ' ')).slice(0, TEXT_CHARS_MAX);
  });
}

/**
 * True when the error names the part of the request it objects to: then it is about the request, not about
 * the device.
 */
function isValidationError(problem: Problem): boolean {
  return problem.errors.some((error) => error.location !== '');
}
