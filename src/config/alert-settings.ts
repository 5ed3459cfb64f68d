import { z } from 'zod';
import type { Settings } from '../platform/setting.ts';

/** The variables of alerts. */
export const ALERT_SETTINGS = {
  alertsFile: {
    env: 'ALERTS_FILE',
    schema: z.string().min(1),
    isOptional: true,
    description:
      'YAML file of [alerts](alerts.md): what people are told of. Re-read when it changes; a broken one is refused and the last good one stays. Without it there are none.',
  },
} as const satisfies Settings;
