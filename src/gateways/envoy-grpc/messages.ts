/**
 * The messages of authorization.proto as decoded and encoded: a field that is absent or empty on the wire is
 * absent here.
 */

/** One header field. Envoy sends either its text or, with `encode_raw_headers`, its bytes. */
interface HeaderValue {
  readonly key?: string;
  readonly value?: string;
  readonly raw_value?: Uint8Array;
}

/** The end user's request; every member may be missing (envoy.service.auth.v3.AttributeContext). */
export interface HttpRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly header_map?: { readonly headers?: readonly HeaderValue[] };
  readonly path?: string;
  readonly host?: string;
}

/** What Envoy asks (envoy.service.auth.v3.CheckRequest); every member may be missing. */
export interface CheckRequest {
  readonly attributes?: {
    readonly source?: { readonly address?: { readonly socket_address?: { readonly address?: string } } };
    readonly request?: { readonly http?: HttpRequest };
    readonly context_extensions?: Readonly<Record<string, string>>;
  };
}

/** A header field that Envoy sets (envoy.config.core.v3.HeaderValueOption). */
export interface HeaderValueOption {
  readonly header: { readonly key: string; readonly value: string };
  readonly append_action: 'OVERWRITE_IF_EXISTS_OR_ADD';
}

/** `google.protobuf.Value`, as far as it is used. */
export type StructValue =
  | { readonly string_value: string }
  | { readonly list_value: { readonly values: readonly StructValue[] } };

/** What Envoy is answered (envoy.service.auth.v3.CheckResponse): one of the two responses is there. */
export interface CheckResponse {
  readonly status: { readonly code: number };
  readonly ok_response?: {
    readonly headers: readonly HeaderValueOption[];
    readonly headers_to_remove: readonly string[];
  };
  readonly denied_response?: {
    readonly status: { readonly code: number };
    readonly headers: readonly HeaderValueOption[];
    readonly body: string;
  };
  readonly dynamic_metadata: {
    readonly fields: Readonly<Record<string, StructValue>>;
  };
}
