import t from 'tap';
import { readOidc } from '../../src/config/oidc-settings.ts';

const OWN = { publicUrl: 'https://risk.example', isDashboardServed: true };
const ENV = {
  OIDC_ISSUER: 'https://id.example/realms/one',
  OIDC_CLIENT_ID: 'riskgate',
  OIDC_GROUPS: 'analysts=read',
};

function read(env: Readonly<Record<string, string>>, own: Parameters<typeof readOidc>[1] = OWN) {
  const mistakes: string[] = [];
  return { config: readOidc(env, own, mistakes), mistakes };
}

t.test('is off without an issuer, and says what is set in vain', async (t) => {
  t.same(read({}), { config: null, mistakes: [] });
  t.same(read({ OIDC_GROUPS: 'a=read' }).mistakes, ['OIDC_GROUPS is of no use without OIDC_ISSUER']);
});

t.test('reads an issuer, its client, and what groups may do', async (t) => {
  const groups = 'analysts=read; /fraud/leads = read,review  admin ;cn=x,dc=y=read;';
  t.same(read({ ...ENV, OIDC_GROUPS: groups, OIDC_CLIENT_SECRET: 's' }), {
    mistakes: [],
    config: {
      issuer: 'https://id.example/realms/one',
      clientId: 'riskgate',
      clientSecret: 's',
      groups: { analysts: ['read'], '/fraud/leads': ['read', 'review', 'admin'], 'cn=x,dc=y': ['read'] },
      groupsClaim: 'groups',
      nameClaim: 'name',
      scope: 'openid profile',
    },
  });
});

t.test('says everything that is wrong', async (t) => {
  t.same(read({ OIDC_ISSUER: ENV.OIDC_ISSUER }, { publicUrl: null, isDashboardServed: false }), {
    config: null,
    mistakes: [
      'OIDC_CLIENT_ID is missing, which OIDC_ISSUER needs',
      'OIDC_GROUPS is missing, which OIDC_ISSUER needs',
      'PUBLIC_URL is missing, which OIDC_ISSUER needs',
      'OIDC_ISSUER is of no use without the page: DASHBOARD is off',
    ],
  });
  for (const issuer of ['http://id.example', 'https://a:b@id.example', 'https://id.example/?x', 'id.example'])
    t.match(read({ ...ENV, OIDC_ISSUER: issuer }).mistakes, [/^OIDC_ISSUER must be an https/], issuer);
  t.same(read({ ...ENV, OIDC_ISSUER: 'http://127.0.0.1:9/' }).mistakes, []);
  t.match(read({ ...ENV, OIDC_SCOPE: 'profile' }).mistakes, [/^OIDC_SCOPE must hold openid/]);
  const many = Array.from({ length: 201 }, (_, at) => `g${at}=read`).join(';');
  for (const [groups, why] of [
    ['analysts', /group=scopes/],
    ['=read', /group=scopes/],
    ['a=decide', /scopes of read, review, admin/],
    ['a=', /scopes of/],
    ['a=read;a=admin', /twice/],
    [' ; ', /1 to 200/],
    [many, /1 to 200/],
  ] as const)
    t.match(read({ ...ENV, OIDC_GROUPS: groups }).mistakes, [why], groups.slice(0, 20));
});
