import { PARTS, type SubjectRef } from '../address.ts';
import type { ApiClient } from '../api-client.ts';
import { formatCount, NOTHING } from '../format.ts';
import { PART_PLURALS } from '../part-names.ts';
import { useAnswer } from '../use-answer.ts';
import { type Stats, VERDICTS } from '../wire.ts';

const WINDOWS = [
  ['1h', 'last hour'],
  ['24h', 'last day'],
  ['7d', 'last week'],
  ['30d', 'last month'],
] as const;
const INTERVAL_MS = 30_000;

interface CountsProperties {
  readonly client: ApiClient;
  readonly subject: SubjectRef;
}

/** How active it was lately: decisions, and how many different others they name. */
export function WindowCounts({ client, subject }: CountsProperties) {
  const others = PARTS.filter((part) => part !== subject.part);
  return (
    <section class="panel" aria-labelledby="subject-activity">
      <div class="panel-head">
        <h2 id="subject-activity">Activity</h2>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be scrolled by keyboard. */}
      <section class="scroll-x" tabIndex={0} aria-label="Activity by window">
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">In the</th>
              {['Decisions', ...VERDICTS.map(toTitle), ...others.map((part) => PART_PLURALS[part])].map(
                (name) => (
                  <th key={name} scope="col" class="number">
                    {name}
                  </th>
                ),
              )}
            </tr>
          </thead>
          <tbody>
            {WINDOWS.map(([window, name]) => (
              <Row
                key={window}
                client={client}
                subject={subject}
                window={window}
                name={name}
                others={others}
              />
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}

interface RowProperties extends CountsProperties {
  readonly window: string;
  readonly name: string;
  readonly others: readonly SubjectRef['part'][];
}

function Row({ client, subject: { part, hash }, window, name, others }: RowProperties) {
  const query = { [part]: `#${hash}`, window, distinct: 'true' };
  const reading = useAnswer<Stats>(client, 'v1/stats', query, INTERVAL_MS).value;
  const totals = reading.kind === 'ready' ? reading.answer.totals : null;
  const tell = (count: number | undefined) =>
    count === undefined ? (reading.kind === 'loading' ? '…' : NOTHING) : formatCount(count);
  return (
    <tr>
      <th scope="row">{name}</th>
      <td class="number">{tell(totals?.total)}</td>
      {VERDICTS.map((verdict) => (
        <td key={verdict} class="number">
          {tell(totals === null ? undefined : (totals.counts[verdict] ?? 0))}
        </td>
      ))}
      {others.map((other) => (
        <td key={other} class="number">
          {tell(totals?.distinct?.[other])}
        </td>
      ))}
    </tr>
  );
}

function toTitle(verdict: string): string {
  return verdict.charAt(0) + verdict.slice(1).toLowerCase();
}
