import { z } from 'zod';
import type { Settings } from '../platform/setting.ts';
import { type ConfigValues, isComplete, readSettings } from './read-settings.ts';
import { isSecureUrl } from './secure-url.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What people can be allowed: they use the page, and ask for no decisions. */
const SCOPES = ['read', 'review', 'admin'] as const;

const GROUPS_MAX = 200;

/** The scopes of each group. */
type Groups = Readonly<Record<string, readonly (typeof SCOPES)[number][]>>;

/** The variables of signing in with OpenID Connect. */
export const OIDC_SETTINGS = {
  issuer: {
    env: 'OIDC_ISSUER',
    schema: z
      .string()
      .refine(isSecureUrl, 'must be an https:// URL without user, query and fragment (http:// on loopback)')
      .transform((text) => new URL(text).href),
    isOptional: true,
    description:
      'The issuer of OpenID Connect with which people [sign in](dashboard.md#signing-in-with-openid-connect) to the page. It is asked when somebody signs in. Needs `PUBLIC_URL`, `OIDC_CLIENT_ID` and `OIDC_GROUPS`.',
  },
  clientId: {
    env: 'OIDC_CLIENT_ID',
    schema: z.string().min(1).max(512),
    isOptional: true,
    description:
      'What the issuer knows this service by. Its redirect URI is `PUBLIC_URL` and `/v1/session/oidc/callback`.',
  },
  clientSecret: {
    env: 'OIDC_CLIENT_SECRET',
    schema: z.string().min(1),
    isOptional: true,
    isSecret: true,
    description: 'The secret of that client. Without one it is a public client, which PKCE alone protects.',
  },
  groups: {
    env: 'OIDC_GROUPS',
    schema: z.string().transform(toGroups),
    isOptional: true,
    description:
      'What members of groups may do: `group=scopes`, with semicolons between; scopes are `read`, `review` and `admin`, with blanks or commas between: `fraud-analysts=read review; fraud-leads=read admin`. The last `=` counts, so that a group may hold some. Whoever is in none of the groups is not let in.',
  },
  groupsClaim: {
    env: 'OIDC_GROUPS_CLAIM',
    schema: z.string().min(1).max(256),
    default: 'groups',
    description:
      'The claim with the groups of a person: a list of texts, in the ID token or from the userinfo endpoint. Dots lead into objects: `realm_access.roles`.',
  },
  nameClaim: {
    env: 'OIDC_NAME_CLAIM',
    schema: z.string().min(1).max(256),
    default: 'name',
    description:
      'The claim with the name under which what a person does is recorded; `preferred_username` stands in for it. Behind it come `#` and eight digits of a hash of the issuer’s id of the person.',
  },
  scope: {
    env: 'OIDC_SCOPE',
    schema: z
      .string()
      .refine((text) => text.split(' ').includes('openid'), 'must hold openid, with blanks between scopes'),
    default: 'openid profile',
    description: 'The scopes that the issuer is asked for. Some give groups for one of their own.',
  },
} as const satisfies Settings;

type Values = ConfigValues<typeof OIDC_SETTINGS>;

/** An issuer with which people sign in. */
export interface OidcConfig extends Omit<Values, 'issuer' | 'clientId' | 'groups'> {
  readonly issuer: string;
  readonly clientId: string;
  readonly groups: Groups;
}

/** Reads them; null where nobody signs in so, and where they have mistakes. */
export function readOidc(
  env: Environment,
  { publicUrl, isDashboardServed }: { readonly publicUrl: unknown; readonly isDashboardServed: unknown },
  mistakes: string[],
): OidcConfig | null {
  const values = readSettings(env, OIDC_SETTINGS, mistakes);
  if (!isComplete<typeof OIDC_SETTINGS>(values)) return null;
  const { issuer, clientId, groups, ...others } = values;
  if (issuer === null) {
    const idle = Object.values(OIDC_SETTINGS).find(({ env: name }) => env[name]);
    if (idle !== undefined) mistakes.push(`${idle.env} is of no use without ${OIDC_SETTINGS.issuer.env}`);
    return null;
  }
  const missing = [
    ...(clientId === null ? [OIDC_SETTINGS.clientId.env] : []),
    ...(groups === null ? [OIDC_SETTINGS.groups.env] : []),
    ...(publicUrl === null ? ['PUBLIC_URL'] : []),
  ];
  mistakes.push(...missing.map((name) => `${name} is missing, which ${OIDC_SETTINGS.issuer.env} needs`));
  if (isDashboardServed === false)
    mistakes.push(`${OIDC_SETTINGS.issuer.env} is of no use without the page: DASHBOARD is off`);
  if (clientId === null || groups === null || missing.length > 0) return null;
  return { ...others, issuer, clientId, groups };
}

function toGroups(text: string, context: z.RefinementCtx): Groups {
  const refuse = (message: string) => {
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  };
  const groups = new Map<string, readonly (typeof SCOPES)[number][]>();
  for (const entry of text.split(';').filter((each) => each.trim() !== '')) {
    const at = entry.lastIndexOf('=');
    const name = entry.slice(0, Math.max(at, 0)).trim();
    if (name === '') return refuse('must be group=scopes, with semicolons between');
    const named = entry
      .slice(at + 1)
      .split(/[\s,]+/)
      .filter((scope) => scope !== '');
    const scopes = named.flatMap((scope) => SCOPES.filter((known) => known === scope));
    if (scopes.length !== named.length || scopes.length === 0)
      return refuse(`must give each group scopes of ${SCOPES.join(', ')}`);
    if (groups.has(name)) return refuse('names a group twice');
    groups.set(name, scopes);
  }
  if (groups.size === 0 || groups.size > GROUPS_MAX) return refuse(`must name 1 to ${GROUPS_MAX} groups`);
  return Object.fromEntries(groups);
}
