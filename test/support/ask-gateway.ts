import { hash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HTTPMethods } from 'fastify';
import type { Test } from 'tap';
import type { OriginalHeaders } from '../../src/gateways/definition.ts';
import { DIALECTS } from '../../src/gateways/registry.ts';
import { createDirectory, createTestApp, KEYS, type TestApp, type TestAppOptions } from './test-app.ts';

/** An answer to a gateway. */
export interface GatewayReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

export interface GatewayAsk {
  readonly dialect?: string;
  readonly profile?: string;
  /** The original request. */
  readonly method?: string;
  readonly target?: string;
  readonly telemetryId?: string | null;
  readonly deviceId?: string | null;
  readonly key?: string | null;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** The gateway's own method. */
  readonly subrequest?: string;
  readonly body?: string;
  readonly address?: string;
}

/** A secret that a profile of tests knows, and its hash. */
export const GATEWAY_SECRET = 'a gateway secret of a test that nobody else has';
export const GATEWAY_SECRET_SHA256 = hash('sha256', GATEWAY_SECRET);

/** Asks as a gateway of the dialect would, about ids that the emulators allow unless told otherwise. */
export async function askGateway(app: TestApp, ask: GatewayAsk = {}): Promise<GatewayReply> {
  const { dialect = 'nginx', profile = 'default', method = 'GET', target = '/shop?page=1' } = ask;
  const { key = KEYS.decide, telemetryId = 'allow', deviceId = 'active', headers = {} } = ask;
  const isOriginal = originalHeadersOf(dialect) === null;
  const response = await app.app.server.inject({
    method: (ask.subrequest ?? (isOriginal ? method : 'GET')) as HTTPMethods & 'GET',
    url: `/v1/gateway/${dialect}/${profile}${isOriginal ? target : ''}`,
    ...(ask.address === undefined ? {} : { remoteAddress: ask.address }),
    ...(ask.body === undefined ? {} : { payload: ask.body }),
    headers: {
      ...(key === null ? {} : { 'x-riskgate-key': key }),
      ...originalHeaders(dialect, method, target),
      ...(telemetryId === null ? {} : { 'x-telemetry-id': telemetryId }),
      ...(deviceId === null ? {} : { 'x-device-id': deviceId }),
      ...(headers as Record<string, string>),
    },
  });
  return { status: response.statusCode, headers: response.headers, text: response.body };
}

/** What a gateway of the dialect says of the original request; nothing for one that is none. */
export function originalHeaders(dialect: string, method: string, target: string): Record<string, string> {
  const names = originalHeadersOf(dialect);
  if (names === null) return {};
  const host = names.host === null ? {} : { [names.host]: 'shop.example' };
  return { [names.method]: method, [names.target]: target, ...host };
}

function originalHeadersOf(dialect: string): OriginalHeaders | null {
  return DIALECTS.find(({ id }) => id === dialect)?.originalHeaders ?? null;
}

/** The three headers, in short: `ALLOW none`, with `id` where there is one. */
export function riskOf({ headers }: GatewayReply): string {
  const id = String(headers['x-risk-decision-id']);
  const isUuid = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(id);
  return `${String(headers['x-risk-decision'])} ${isUuid ? 'id' : id} ${String(headers['x-risk-reasons'])}`;
}

/** A test app with a file of gateway profiles; JSON is YAML. */
export async function createGatewayApp(
  t: Pick<Test, 'teardown'>,
  profiles: Readonly<Record<string, object>>,
  options: TestAppOptions = {},
): Promise<TestApp & { readonly profilesFile: string }> {
  const profilesFile = join(createDirectory(t), 'profiles.yaml');
  writeFileSync(profilesFile, JSON.stringify({ profiles }));
  const app = await createTestApp(t, {
    ...options,
    env: { GATEWAY_PROFILES_FILE: profilesFile, ...options.env },
  });
  return Object.defineProperties({ profilesFile }, Object.getOwnPropertyDescriptors(app)) as TestApp & {
    readonly profilesFile: string;
  };
}
