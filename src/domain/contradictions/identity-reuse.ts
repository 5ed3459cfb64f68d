import type { Contradiction, ContradictionInput, Finding } from './contradiction.ts';
import { compare, found, heavierOf } from './told.ts';

/** The fact that tells with how many devices and accounts hardware was seen. */
export const HARDWARE_USE = 'uses.hardware';

/** Members of a family may share a phone; no phone is two. */
const DEVICES_MAX = 1;
const ACCOUNTS_MAX = 5;

/** One phone that is many. */
export const IDENTITY_REUSE: Contradiction = {
  id: 'identity_reuse',
  family: 'hardware',
  meaning:
    'An IMEI, a media DRM id or an advertising id was seen within 30 days with more device ids than `params.identity_devices` (1 where the policy has none), or more accounts than `params.identity_accounts` (5).',
  reads: ['memory'],
  namedBy: ['mobilerun'],
  needs: [HARDWARE_USE],
  params: { identity_devices: DEVICES_MAX, identity_accounts: ACCOUNTS_MAX },
  find: ({ memory: { hardware }, params }: ContradictionInput): Finding =>
    heavierOf(
      compare(hardware.devices, params['identity_devices'] ?? DEVICES_MAX, toManyDevices),
      compare(hardware.accounts, params['identity_accounts'] ?? ACCOUNTS_MAX, toManyAccounts),
    ),
};

// Objects with computed names are slow to make, and these are made for every decision.
function toManyDevices(devices: number, limit: number): Finding {
  return found(devices > limit, { devices, limit_devices: limit, window_days: 30 });
}

function toManyAccounts(accounts: number, limit: number): Finding {
  return found(accounts > limit, { accounts, limit_accounts: limit, window_days: 30 });
}
