import { formatFullTime, formatTime, NOTHING } from '../format.ts';
import { NotThere } from '../not-there.tsx';
import { useAnswer } from '../use-answer.ts';
import type { ViewProperties } from '../view.ts';
import type { AlertOnPage, AlertsAnswer } from '../wire.ts';
import { orderAlerts, readingOf, STATE_WORDS, subjectOf } from './alert-words.ts';

const EVERY_MS = 5_000;

/** How each alert of the service is, the worst first. */
export function AlertsView({ session: { client } }: ViewProperties) {
  const reading = useAnswer<AlertsAnswer>(client, 'v1/alerts', {}, EVERY_MS).value;
  const answer = reading.kind === 'ready' ? reading.answer : null;
  return (
    <main class="page">
      <section class="panel" aria-labelledby="alerts-title">
        <div class="panel-head">
          <h2 id="alerts-title">Alerts</h2>
          {answer !== null && answer.read_at !== null && (
            <p class="panel-note">
              Read at <time dateTime={answer.read_at}>{formatTime(answer.read_at, Date.now())}</time>, as this
              replica sees them
            </p>
          )}
        </div>
        {answer === null ? (
          <NotThere what="the alerts" reading={reading} />
        ) : (
          <AlertTable alerts={orderAlerts(answer.alerts)} />
        )}
      </section>
    </main>
  );
}

function AlertTable({ alerts }: { readonly alerts: readonly AlertOnPage[] }) {
  if (alerts.length === 0)
    return (
      <p class="state state-small">
        No alerts are set up. <code>ALERTS_FILE</code> names a file of them.
      </p>
    );
  return (
    <div class="scroll-x">
      <table class="plain alerts-table">
        <thead>
          <tr>
            {['State', 'Alert', 'What was read', 'Since', 'Severity'].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {alerts.map((alert) => (
            <AlertRow key={alert.name} alert={alert} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function AlertRow({ alert }: { readonly alert: AlertOnPage }) {
  const { name, state, severity, description, since, fired_at: firedAt, why } = alert;
  const at = firedAt ?? since;
  return (
    <tr>
      <td>
        <span class={`alert-state alert-${state}`}>{STATE_WORDS[state]}</span>
        {state === 'firing' && why !== null && <small class="alert-blind">cannot be read now</small>}
      </td>
      <th scope="row">
        {name}
        <small>{description ?? subjectOf(alert)}</small>
      </th>
      <td>{readingOf(alert)}</td>
      <td>
        {at === null ? (
          NOTHING
        ) : (
          <time dateTime={at} title={formatFullTime(at)}>
            {formatTime(at, Date.now())}
          </time>
        )}
      </td>
      <td>{severity}</td>
    </tr>
  );
}
