import type { z } from 'zod';
import { promotionSchema } from '../../http/schemas/promotion.ts';
import type { CliReport } from '../command.ts';
import { EXIT_CODES } from '../command.ts';

/** What a candidate has shown, as a service tells it. */
type ToldPromotion = z.output<typeof promotionSchema>;

/** Reads it; null for what is none. */
export function readPromotion(body: unknown): ToldPromotion | null {
  return promotionSchema.safeParse(body).data ?? null;
}

/** Every check, and what became of it. */
export function showPromotion(told: ToldPromotion, end: string): CliReport {
  const { candidate, in_force: inForce, checks, passed } = told;
  const width = Math.max(...checks.map(({ id }) => id.length));
  return {
    exitCode: passed ? EXIT_CODES.ok : EXIT_CODES.findings,
    lines: [
      `${candidate.id} ${short(candidate.hash)} beside ${inForce.id} ${short(inForce.hash)}`,
      ...checks.map(
        ({ id, passed: isGood, detail }) => `${isGood ? 'ok  ' : 'FAIL'} ${id.padEnd(width)}  ${detail}`,
      ),
      end,
    ],
    json: told,
  };
}

/** As people compare hashes. */
function short(hash: string): string {
  return hash.slice(0, 'sha256:'.length + 12);
}
