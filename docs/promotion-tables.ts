import { z } from 'zod';
import { promotionSchema } from '../src/domain/promotion/promotion-limits.ts';
import { code, toTable } from './markdown-table.ts';

interface Field {
  readonly description?: string;
  readonly default?: unknown;
}

/** The limits of promotions, from the schema of the policy file. */
export function renderPromotionLimits(): string {
  const { properties = {} } = z.toJSONSchema(promotionSchema, { io: 'input' });
  const rows = Object.entries(properties as Readonly<Record<string, Field>>).map(([name, field]) => [
    code(name),
    code(spell(field.default)),
    field.description ?? '',
  ]);
  return toTable(['`promotion:`', 'default', 'meaning'], rows);
}

function spell(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
