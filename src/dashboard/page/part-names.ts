import type { SubjectRef } from './address.ts';

/** The parts of a subject, for people. */
export const PART_NAMES: Readonly<Record<SubjectRef['part'], string>> = {
  account: 'Account',
  device: 'Device',
  telemetry: 'Telemetry id',
  ip: 'Address',
  visitor: 'Visitor',
};

/** The same of several. */
export const PART_PLURALS: Readonly<Record<SubjectRef['part'], string>> = {
  account: 'Accounts',
  device: 'Devices',
  telemetry: 'Telemetry ids',
  ip: 'Addresses',
  visitor: 'Visitors',
};
