import type { Decision } from '../domain/decision.ts';
import type { Verdict } from '../domain/verdict.ts';
import { type Decide, toDeadline } from './decide.ts';
import { createUnaskedDecision, type UnaskedDependencies } from './decide-unasked.ts';
import { sleep } from './sleep.ts';

/** The reserved telemetry ids, as they are documented. */
const TEST_ID = /^test_(?:(allow|challenge|block|degraded)|slow_(\d{1,5}))$/;

interface DecideTestIdDependencies extends UnaskedDependencies {
  readonly deadlineMs: number;
}

/**
 * Builds what answers a test key: by its telemetry id alone. No provider, store or rule is asked, and nothing
 * may be recorded, counted or remembered of it: it is no settled decision. What is no test id is a BLOCK, so
 * that a back end that was given a test key by mistake lets nobody in.
 */
export function createDecideTestId(dependencies: DecideTestIdDependencies): Decide {
  const { clock, deadlineMs: configuredMs } = dependencies;
  const decideUnasked = createUnaskedDecision(dependencies);
  return (subject, options) => {
    const startedAtMs = clock.monotonicMs();
    const [, kind, slowMs] = TEST_ID.exec(subject.telemetryId ?? '') ?? [];
    const latencyMs = () => clock.monotonicMs() - startedAtMs;
    const degraded = (): Decision =>
      decideUnasked(subject, {
        verdict: 'CHALLENGE',
        reasons: [toReason('CHALLENGE', false)],
        outcome: 'timeout',
        degraded: true,
        latencyMs: latencyMs(),
      });
    if (kind === 'degraded') return degraded();
    if (slowMs !== undefined) {
      const leftMs = Math.max(0, toDeadline(configuredMs, options, startedAtMs) - startedAtMs);
      const isInTime = Number(slowMs) <= leftMs;
      return sleep(Math.min(Number(slowMs), leftMs)).then(() =>
        isInTime
          ? decideUnasked(subject, { verdict: 'ALLOW', reasons: [], latencyMs: latencyMs() })
          : degraded(),
      );
    }
    if (kind === 'allow') return decideUnasked(subject, { verdict: 'ALLOW', reasons: [] });
    const verdict = kind === 'challenge' ? 'CHALLENGE' : 'BLOCK';
    return decideUnasked(subject, { verdict, reasons: [toReason(verdict, kind !== undefined)] });
  };
}

/** `isCertain` is false for what was not asked for by a test id, or stands for lost evidence. */
function toReason(verdict: Verdict, isCertain: boolean) {
  return { code: 'TEST_ID', rule: 'test-id', verdict, providers: [], certain: isCertain };
}
