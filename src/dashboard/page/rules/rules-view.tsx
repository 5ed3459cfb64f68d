import { useSignal } from '@preact/signals';
import { Chips } from '../filter-bar.tsx';
import { formatCount } from '../format.ts';
import { NotThere } from '../not-there.tsx';
import { useAnswer } from '../use-answer.ts';
import type { ViewProperties } from '../view.ts';
import { address } from '../view-state.ts';
import { toWindowQuery } from '../window-query.ts';
import type { RuleStatistics } from '../wire-rules.ts';
import { type Order, orderRules, RULE_ORDERS } from './order-rules.ts';
import { RuleRow } from './rule-row.tsx';

const EVERY_MS = 15_000;

/** How each rule does: how often it applies and decides, and how right it is, as far as that is known. */
export function RulesView({ session: { client } }: ViewProperties) {
  const query = toWindowQuery(address.value);
  const reading = useAnswer<RuleStatistics>(client, 'v1/stats/rules', query, EVERY_MS).value;
  const answer = reading.kind === 'ready' ? reading.answer : null;
  return (
    <main class="page">
      <section class="panel" aria-labelledby="rules-title">
        <div class="panel-head">
          <h2 id="rules-title">Rules</h2>
          {answer !== null && <Labelled answer={answer} />}
        </div>
        <Chips />
        {answer === null ? (
          <NotThere what="the rules" reading={reading} />
        ) : (
          <>
            <Coverage answer={answer} />
            <RuleTable answer={answer} />
          </>
        )}
      </section>
    </main>
  );
}

function Labelled({ answer: { total, labels } }: { readonly answer: RuleStatistics }) {
  const labelled = Object.values(labels).reduce((sum, count) => sum + count, 0);
  return (
    <p class="panel-note">
      {formatCount(total)} decisions, {formatCount(labelled)} with a label
    </p>
  );
}

function Coverage({
  answer: { covered_since: since, policies_unknown: unknown, omitted },
}: {
  readonly answer: RuleStatistics;
}) {
  const notes = [
    since !== null &&
      `Labels and what is decisive were looked at since ${new Date(since).toLocaleString('en-GB')}.`,
    unknown > 0 &&
      `${formatCount(unknown)} decisions are of policies whose text is not known: what was decisive in them is not told.`,
    omitted > 0 &&
      `${formatCount(omitted)} decisions of rare kinds are left out of labels and what is decisive.`,
  ].filter((note) => note !== false);
  if (notes.length === 0) return null;
  return <p class="panel-note">{notes.join(' ')}</p>;
}

interface Column {
  readonly name: string;
  readonly title: string;
  readonly order?: Order;
}

const COLUMNS: readonly Column[] = [
  { name: 'Rule', title: 'In the order of the policy', order: 'policy' },
  { name: 'True', title: 'Decisions in which it was true', order: 'fired' },
  {
    name: 'Decisive',
    title: 'Decisions that would have come to another verdict without it',
    order: 'decisive',
  },
  { name: 'Unknown', title: 'Decisions in which it could not be decided', order: 'unknown' },
  {
    name: 'Precision',
    title:
      'Of labelled decisions in which it was true: the share of fraud. The bar is where the true share most likely is (95 %)',
    order: 'precision',
  },
  {
    name: 'Recall',
    title: 'Of all decisions that were labelled as fraud: the share in which it was true',
    order: 'recall',
  },
  { name: 'Challenges passed', title: 'Of the challenges that were ended: the share that was passed' },
  { name: 'Label after', title: 'The median time from the decision to its label' },
  { name: 'False positives', title: 'Decisions in which it was true that turned out to be legitimate' },
  { name: 'Since', title: 'Since when it stands as it does, as far as policies are remembered' },
  { name: 'Trend', title: 'How often it was true, over the window. Lines are changes of the policy' },
];

function RuleTable({ answer }: { readonly answer: RuleStatistics }) {
  const order = useSignal<Order>('policy');
  if (answer.rules.length === 0) return <p class="state state-small">The policy has no rules.</p>;
  return (
    <div class="scroll-x">
      <table class="plain rules-table">
        <thead>
          <tr>
            {COLUMNS.map((column) => (
              <Head
                key={column.name}
                column={column}
                order={order.value}
                onOrder={(next) => {
                  order.value = next;
                }}
              />
            ))}
          </tr>
        </thead>
        <tbody>
          {orderRules(answer.rules, order.value).map((rule) => (
            <RuleRow key={rule.rule} rule={rule} window={answer} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface HeadProperties {
  readonly column: Column;
  readonly order: Order;
  readonly onOrder: (order: Order) => void;
}

function Head({ column: { name, title, order: own }, order, onOrder }: HeadProperties) {
  const isCurrent = own !== undefined && own === order;
  const sort = isCurrent ? RULE_ORDERS[own] : undefined;
  return (
    <th scope="col" class={name === 'Rule' ? '' : 'number'} title={title} aria-sort={sort}>
      {own === undefined ? (
        name
      ) : (
        <button type="button" class="sort" aria-pressed={isCurrent} onClick={() => onOrder(own)}>
          {name}
        </button>
      )}
    </th>
  );
}
