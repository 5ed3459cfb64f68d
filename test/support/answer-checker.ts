import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

/** An answer as a caller got it. Header names are lower case. */
export interface ObservedAnswer {
  readonly method: string;
  /** The path that was asked for, without its query. */
  readonly path: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** What is wrong with an answer by the OpenAPI document, or null. */
export type AnswerChecker = (answer: ObservedAnswer) => string | null;

interface Response {
  readonly headers?: Readonly<Record<string, { readonly required?: boolean }>>;
  readonly content?: Readonly<Record<string, unknown>>;
}

interface Document {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, Response>> }>>>
  >;
}

const DOCUMENT = 'openapi.json';
const PROBLEM = 'application/problem+json';
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
/** Served for people, and not described. */
const HIDDEN = /^\/(docs(\/.*)?|openapi\.json)?$/;

/**
 * Compiles the schemas of a document (OpenAPI 3.1, whose dialect is 2020-12). A described operation may
 * answer only with a status, media type, body and headers that stand there; anything else has to be a
 * problem. A 5xx is never right, but for 503 where it is described.
 */
export function createAnswerChecker(document: Document): AnswerChecker {
  const ajv = new Ajv2020({ strict: false, formats: { uuid: UUID, 'date-time': DATE_TIME } });
  ajv.addSchema(document, DOCUMENT);
  const compiled = new Map<string, ValidateFunction>();
  const mistakeBy = (pointer: string, value: unknown): string | null => {
    let validate = compiled.get(pointer);
    if (validate === undefined) {
      validate = ajv.compile({ $ref: `${DOCUMENT}#${pointer}` });
      compiled.set(pointer, validate);
    }
    return validate(value) ? null : `${pointer}: ${ajv.errorsText(validate.errors)}`;
  };

  const mistakeInBody = (answer: ObservedAnswer, pointer: string, isJson: boolean): string | null => {
    if (!isJson) return mistakeBy(pointer, answer.body);
    const value = parse(answer.body);
    if (value === undefined) return 'the body is not JSON';
    return mistakeBy(pointer, value);
  };

  const mistakeInProblem = (answer: ObservedAnswer): string | null => {
    if (answer.method === 'HEAD') return null;
    const { status, headers } = answer;
    if (mediaTypeOf(answer) !== PROBLEM) return `${status} is ${mediaTypeOf(answer)}`;
    const mistake = mistakeInBody(answer, '/components/schemas/Problem', true);
    if (mistake !== null) return mistake;
    const problem = parse(answer.body) as { status: number; request_id: string };
    if (problem.status !== status) return `the body says ${problem.status}`;
    return problem.request_id === headers['x-request-id']
      ? null
      : 'body and header differ in their request id';
  };

  const mistakeInDescribed = (answer: ObservedAnswer, name: string, response: Response): string | null => {
    for (const [header, { required }] of Object.entries(response.headers ?? {}))
      if (required === true && answer.headers[header] === undefined)
        return `${name} lacks the header ${header}`;
    if (answer.status >= 400 && mediaTypeOf(answer) === PROBLEM) {
      const mistake = mistakeInProblem(answer);
      if (mistake !== null) return mistake;
    }
    if (answer.status === 204)
      return answer.body === '' && response.content === undefined ? null : `${name} has content`;
    const type = mediaTypeOf(answer);
    if (response.content?.[type] === undefined)
      return `${name} is of the type ${type}, which is not described`;
    const status = toPointerStep(String(answer.status));
    const place = `/paths/${toPointerStep(answer.path)}/${answer.method.toLowerCase()}/responses/${status}`;
    return mistakeInBody(answer, `${place}/content/${toPointerStep(type)}/schema`, /[/+]json$/.test(type));
  };

  return (answer) => {
    const { method, path, status } = answer;
    const name = `${method} ${path} ${status}`;
    const operation = document.paths[path]?.[method.toLowerCase()];
    if (operation !== undefined) {
      const response = operation.responses[status];
      return response === undefined ? `${name} is not described` : mistakeInDescribed(answer, name, response);
    }
    if (status >= 500) return `${name} is a defect`;
    if (status >= 400) return mistakeInProblem(answer);
    if (HIDDEN.test(path) || (method === 'HEAD' && document.paths[path]?.['get'] !== undefined)) return null;
    return `${name} is not described`;
  };
}

function mediaTypeOf({ headers }: ObservedAnswer): string {
  const type = headers['content-type'];
  return typeof type === 'string' ? (type.split(';', 1)[0] ?? '') : '';
}

function toPointerStep(step: string): string {
  return step.replaceAll('~', '~0').replaceAll('/', '~1');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A SyntaxError: JSON has no way to say undefined.
    return undefined;
  }
}
