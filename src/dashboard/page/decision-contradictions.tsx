import { toWords } from './format.ts';
import type { DecisionDetail } from './wire.ts';

type Working = Readonly<Record<string, unknown>>;

/** Which pieces of evidence contradict each other, with both sides and the arithmetic. Nothing where none was asked for. */
export function DecisionContradictions({ decision }: { readonly decision: DecisionDetail }) {
  const { contradictions } = decision;
  if (typeof contradictions === 'string')
    return (
      <section>
        <h3>Contradictions</h3>
        <p class="hint">Contradictions could not be looked for.</p>
      </section>
    );
  if (contradictions === undefined || contradictions === null) return null;
  const workings = Object.entries(toObject(Reflect.get(contradictions, 'because')));
  const isTrue = ([id]: [string, unknown]) => Reflect.get(contradictions, id) === true;
  const found = workings.filter(isTrue);
  const others = workings.filter((working) => !isTrue(working));
  return (
    <section>
      <h3>Contradictions</h3>
      {found.length === 0 && <p class="hint">No contradiction is certain.</p>}
      <ul class="evidence">
        {[...found, ...others].map(([id, working]) => (
          <li class="piece" key={id}>
            <p class="piece-head">
              <b>{toWords(id)}</b>
              <span>{isTrue([id, working]) ? 'contradicts' : 'agrees'}</span>
            </p>
            <details open={isTrue([id, working])}>
              <summary>both sides</summary>
              <dl class="signals">
                {Object.entries(toObject(working)).map(([name, value]) => (
                  <div key={name}>
                    <dt>{toWords(name)}</dt>
                    <dd>{Array.isArray(value) ? value.join(', ') : String(value)}</dd>
                  </div>
                ))}
              </dl>
            </details>
          </li>
        ))}
      </ul>
    </section>
  );
}

function toObject(value: unknown): Working {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
