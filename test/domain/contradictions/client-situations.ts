import type { ContradictionSituation, SituationInput } from './situation.ts';

type Row = readonly [string, SituationInput, ContradictionSituation['expect'], object?];

const toSituations = (id: string, rows: readonly Row[]): readonly ContradictionSituation[] =>
  rows.map(([title, input, expect, because = {}]) => ({ title, id, input, expect, because }));

const asks = (os: string, family = 'Chrome') => ({ userAgent: { family, os } });
const typed = (device_type: unknown) => ({ found: true, device_type });
const browser = (user_agent_os: unknown) => ({ found: true, last_seen: { user_agent_os } });
const PHONE = { found: true, supported: true };

const SYSTEMS = toSituations('os_family', [
  [
    'a Windows request from an Android fingerprint',
    { request: asks('Windows'), stytch: typed('ANDROID') },
    true,
    { request_user_agent: 'Windows', stytch_device_type: 'ANDROID' },
  ],
  ['Windows, as both name it', { request: asks('Windows'), stytch: typed('WINDOWS X86_64') }, false],
  ['macOS, as both name it', { request: asks('macOS'), stytch: typed('MACOS') }, false],
  ['an iPhone', { request: asks('iOS', 'Safari'), stytch: typed('IOS') }, false],
  ['an iPad that asks for desktop pages', { request: asks('macOS', 'Safari'), stytch: typed('IOS') }, false],
  ['a Mac that calls itself an iPhone', { request: asks('iOS', 'Safari'), stytch: typed('MACOS') }, true],
  ['an Android that asks for desktop pages', { request: asks('Linux'), stytch: typed('ANDROID') }, false],
  [
    'a Linux server that calls itself Android',
    { request: asks('Android'), stytch: typed('LINUX X86_64') },
    true,
  ],
  [
    'a Chromebook that is taken for Linux',
    { request: asks('Chrome OS'), stytch: typed('LINUX X86_64') },
    false,
  ],
  ['a Chromebook whose browser says Linux', { request: asks('Linux'), stytch: typed('CHROME OS') }, false],
  [
    'Windows beside a cloud phone',
    { request: asks('Windows'), mobilerun: PHONE },
    true,
    { request_user_agent: 'Windows', mobilerun: 'Android' },
  ],
  ['Android beside a cloud phone', { request: asks('Android'), mobilerun: PHONE }, false],
  ['an iPhone fingerprint beside a cloud phone', { stytch: typed('IOS'), mobilerun: PHONE }, true],
  [
    'a device that Prefactor saw on macOS, now on Windows',
    { request: asks('Windows'), prefactor: browser('macOS') },
    true,
    { prefactor_user_agent: 'macOS' },
  ],
  [
    'a device that Prefactor saw on the same',
    { request: asks('Windows'), prefactor: browser('Windows') },
    false,
  ],
  [
    'a device id that Mobilerun does not know',
    { request: asks('Windows'), mobilerun: { found: false, supported: false } },
    'none',
  ],
  ['a system of no name', { request: asks('Other', 'Other'), stytch: typed('ANDROID') }, 'none'],
  [
    'a Windows Phone, which is no Windows',
    { request: asks('Windows Phone'), stytch: typed('WINDOWS') },
    'none',
  ],
  ['a device type of a later year', { request: asks('Windows'), stytch: typed('FUCHSIA') }, 'none'],
  ['a device type that is a number', { request: asks('Windows'), stytch: typed(7) }, 'unknown'],
  ['only a request', { request: asks('Windows') }, 'none'],
  ['Stytch lost', { request: asks('Windows'), stytch: 'unknown' }, 'unknown'],
  ['Mobilerun lost', { request: asks('Windows'), mobilerun: 'unknown' }, 'unknown'],
  [
    'Stytch lost, and a contradiction between the others',
    { request: asks('Windows'), stytch: 'unknown', mobilerun: PHONE },
    true,
  ],
]);

/** Situations of contradictions about browsers and their systems. */
export const CLIENT_SITUATIONS = [...SYSTEMS];
