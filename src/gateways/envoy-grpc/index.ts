import { toSharedAnswer } from '../answer.ts';
import type { GatewayHeaders, GatewayResult, OriginalRequest } from '../definition.ts';
import { TOO_LARGE_RESULT } from '../gateway-result.ts';
import { isMethod } from '../original-request.ts';
import type { CheckRequest, CheckResponse, HeaderValueOption, HttpRequest, StructValue } from './messages.ts';

/** For log lines and statistics, as the ids of the dialects over HTTP are. */
export const ENVOY_GRPC = 'envoy-grpc';

/** The built-in profile, for routes whose `context_extensions` name none. */
const DEFAULT_PROFILE_NAME = 'default';

/** The codes of google.rpc.Status. */
const CODE = { ok: 0, permissionDenied: 7, unavailable: 14, unauthenticated: 16 } as const;

/**
 * Many servers read `X_Risk_Decision` as `X-Risk-Decision`: headers of these names from a client must not
 * pass together with ours.
 */
const SPOOFS = ['x_risk_decision', 'x_risk_decision_id', 'x_risk_reasons'];

/** The profile that the route of the gateway names. Only the operator can set it, not clients. */
export function profileOf({ attributes }: CheckRequest): string {
  const name = attributes?.context_extensions?.['profile'];
  return name === undefined || name === '' ? DEFAULT_PROFILE_NAME : name;
}

/** The end user's request, or null where its method or path is missing or not valid. */
export function toOriginal({ attributes }: CheckRequest): OriginalRequest | null {
  const http = attributes?.request?.http;
  if (http?.method === undefined || !isMethod(http.method) || !http.path?.startsWith('/')) return null;
  return {
    method: http.method,
    target: http.path,
    host: http.host === undefined || http.host === '' ? null : http.host,
    headers: toHeaders(http),
    address: attributes?.source?.address?.socket_address?.address ?? null,
  };
}

/**
 * The answer, or null without a decision. Null becomes an error of the call, for which Envoy's
 * `failure_mode_allow` and `status_on_error` apply.
 */
export function toCheckResponse(result: GatewayResult): CheckResponse | null {
  const { kind } = result.effect;
  if (kind === 'refuse') return null;
  if (kind !== 'allow')
    return toDenial(result, kind === 'challenge' ? CODE.unauthenticated : CODE.permissionDenied);
  const { headers } = toSharedAnswer(result, null);
  const risk = Object.entries(headers).filter(([name]) => name.startsWith('x-risk-'));
  return {
    status: { code: CODE.ok },
    ok_response: { headers: risk.map(toOption), headers_to_remove: SPOOFS },
    dynamic_metadata: toMetadata(result),
  };
}

/**
 * The 503 for a request that is too large to be judged. It is not an error of the call, which a gateway may
 * let in, because the end user chooses the size. It is not a BLOCK either, because the user may be honest.
 */
export function toTooLargeResponse(): CheckResponse {
  return toDenial(TOO_LARGE_RESULT, CODE.unavailable);
}

function toDenial(result: GatewayResult, code: number): CheckResponse {
  const { status, headers, body } = toSharedAnswer(result, null);
  return {
    status: { code },
    denied_response: { status: { code: status }, headers: Object.entries(headers).map(toOption), body },
    dynamic_metadata: toMetadata(result),
  };
}

function toMetadata({ decision, decisionId, reasons }: GatewayResult): CheckResponse['dynamic_metadata'] {
  const values = [...new Set(reasons)].map((code): StructValue => ({ string_value: code }));
  return {
    fields: {
      decision: { string_value: decision },
      decision_id: { string_value: decisionId ?? '' },
      reasons: { list_value: { values } },
    },
  };
}

/** Envoy's own default would append to what the client sent. */
function toOption([key, value]: [string, string]): HeaderValueOption {
  return { header: { key, value }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' };
}

/** Envoy joins repeated fields with commas, which no id contains; with `encode_raw_headers` it sends each. */
function toHeaders({ headers = {}, header_map: map }: HttpRequest): GatewayHeaders {
  const fields = Object.entries(headers);
  for (const { key = '', value, raw_value: raw } of map?.headers ?? [])
    fields.push([key, value === undefined || value === '' ? toText(raw) : value]);
  // Without a prototype, as a field may have any name.
  const found = Object.create(null) as Record<string, string[]>;
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    const values = found[lower];
    if (values === undefined) found[lower] = [value];
    else values.push(value);
  }
  return found;
}

/** One character a byte, as node:http reads header fields. */
function toText(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '' : Buffer.from(bytes).toString('latin1');
}
