import { useSignal } from '@preact/signals';
import type { ApiClient, Query } from './api-client.ts';
import { formatCount } from './format.ts';
import { Icon } from './icons.tsx';
import { BrokenExport, type PartialExport, readExport } from './resumed-export.ts';
import { endSessionOn } from './session.ts';

type Format = 'csv' | 'ndjson';

/** An export that broke off, and what it is of. */
interface Broken {
  readonly format: Format;
  readonly query: Query;
  readonly part: PartialExport;
}

/**
 * Saves everything that the filters let through. The browser keeps what arrives on disk, not in the page's
 * memory, and a download that breaks off goes on.
 */
export function ExportMenu({ client, query }: { readonly client: ApiClient; readonly query: Query }) {
  const busy = useSignal('');
  const failure = useSignal('');
  const broken = useSignal<Broken | null>(null);
  const save = async (format: Format, asked: Query, part?: PartialExport): Promise<void> => {
    if (busy.value !== '') return;
    busy.value = 'Saving…';
    failure.value = '';
    broken.value = null;
    try {
      const onProgress = (decisions: number) => {
        busy.value = `Saving ${formatCount(decisions)}…`;
      };
      const file = await readExport(client, { ...asked, ...FORMATS[format] }, onProgress, part);
      download(file, `decisions-${new Date().toISOString().slice(0, 19)}.${format}`);
    } catch (error) {
      failure.value = error instanceof Error ? error.message : 'no answer';
      if (error instanceof BrokenExport) {
        if (error.part.lastId !== null) broken.value = { format, query: asked, part: error.part };
        endSessionOn(error.cause);
      }
    }
    busy.value = '';
  };
  const rest = broken.value;
  return (
    <fieldset class="export">
      <legend class="visually-hidden">Export what is listed</legend>
      <button
        class="button"
        type="button"
        disabled={busy.value !== ''}
        onClick={() => void save('csv', query)}
      >
        <Icon name="download" /> {busy.value === '' ? 'CSV' : busy.value}
      </button>
      <button
        class="button"
        type="button"
        disabled={busy.value !== ''}
        onClick={() => void save('ndjson', query)}
      >
        NDJSON
      </button>
      <Failure
        why={failure.value}
        part={rest?.part ?? null}
        onResume={() => rest !== null && void save(rest.format, rest.query, rest.part)}
      />
    </fieldset>
  );
}

interface FailureProperties {
  readonly why: string;
  /** What there is of it; null where nothing can go on. */
  readonly part: PartialExport | null;
  readonly onResume: () => void;
}

function Failure({ why, part, onResume }: FailureProperties) {
  if (why === '') return null;
  return (
    <span class="export-failure" role="alert">
      Not saved: {why}{' '}
      {part !== null && (
        <button class="button" type="button" onClick={onResume}>
          Go on after {formatCount(part.decisions)}
        </button>
      )}
    </span>
  );
}

/** Who takes CSV opens it in a spreadsheet. */
const FORMATS: Readonly<Record<Format, Query>> = {
  csv: { format: 'csv', bom: 'true', times: 'spreadsheet' },
  ndjson: { format: 'ndjson' },
};

function download(content: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name.replaceAll(':', '-');
  link.click();
  // The browser has taken the content over by the next turn of its own.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
