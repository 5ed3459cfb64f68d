import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { View, ViewProperties } from './view.ts';

interface LazyProperties extends ViewProperties {
  readonly load: () => Promise<View>;
}

/** A view whose script is fetched when it is first shown. */
export function LazyView({ load, session }: LazyProperties) {
  const loaded = useSignal<{ readonly view: View } | 'loading' | 'failed'>('loading');
  useEffect(() => {
    let isWanted = true;
    load()
      .then((view) => {
        if (isWanted) loaded.value = { view };
      })
      .catch(() => {
        if (isWanted) loaded.value = 'failed';
      });
    return () => {
      isWanted = false;
    };
  }, [load]);
  if (loaded.value === 'loading')
    return (
      <main class="page" aria-busy="true">
        <p class="visually-hidden" role="status">
          Loading
        </p>
      </main>
    );
  if (loaded.value === 'failed')
    return (
      <main class="page">
        <div class="panel state state-error" role="alert">
          <h2>This part of the page cannot be loaded</h2>
          <p>The service does not answer, or it has been renewed since the page was opened.</p>
          <button class="button" type="button" onClick={() => location.reload()}>
            Load the page again
          </button>
        </div>
      </main>
    );
  const { view: Shown } = loaded.value;
  return <Shown session={session} />;
}
