import { useSignal } from '@preact/signals';
import type { ApiClient, Query } from './api-client.ts';
import { Icon } from './icons.tsx';
import { endSessionOn } from './session.ts';

/**
 * Saves everything that the filters let through. The browser keeps what arrives on disk, not in the page's
 * memory.
 */
export function ExportMenu({ client, query }: { readonly client: ApiClient; readonly query: Query }) {
  const isBusy = useSignal(false);
  const failure = useSignal('');
  const save = async (format: 'csv' | 'ndjson'): Promise<void> => {
    if (isBusy.value) return;
    isBusy.value = true;
    failure.value = '';
    try {
      // Who takes CSV opens it in a spreadsheet.
      const bom = format === 'csv' ? 'true' : undefined;
      const response = await client.open('v1/decisions/export', { ...query, format, bom });
      download(await response.blob(), `decisions-${new Date().toISOString().slice(0, 19)}.${format}`);
    } catch (error) {
      failure.value = error instanceof Error ? error.message : 'no answer';
      endSessionOn(error);
    }
    isBusy.value = false;
  };
  return (
    <fieldset class="export">
      <legend class="visually-hidden">Export what is listed</legend>
      <button class="button" type="button" disabled={isBusy.value} onClick={() => void save('csv')}>
        <Icon name="download" /> {isBusy.value ? 'Saving…' : 'CSV'}
      </button>
      <button class="button" type="button" disabled={isBusy.value} onClick={() => void save('ndjson')}>
        NDJSON
      </button>
      {failure.value !== '' && (
        <span class="export-failure" role="alert">
          Not saved: {failure.value}
        </span>
      )}
    </fieldset>
  );
}

function download(content: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name.replaceAll(':', '-');
  link.click();
  // The browser has taken the content over by the next turn of its own.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
