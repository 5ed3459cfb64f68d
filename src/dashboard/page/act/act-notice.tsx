import { useEffect } from 'preact/hooks';
import { Icon } from '../icons.tsx';
import { isPlain } from './act-keys.ts';
import { actNotice, isActing, undoLatest } from './acts.ts';

/** Says what was just done, and takes it back on request. */
export function ActNotice() {
  const notice = actNotice.value;
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.key === 'u' && isPlain(event)) void undoLatest();
    };
    // Whatever has the focus: after a click that is the button, and after Escape the row.
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, []);
  return (
    <div class="act-place" role="status">
      {notice !== null && (
        <p class={`act-notice ${notice.isFailure ? 'act-failure' : ''}`}>
          <span>{notice.text}</span>
          {notice.undo !== null && (
            <button class="button" type="button" disabled={isActing.value} onClick={() => void undoLatest()}>
              Undo <kbd>u</kbd>
            </button>
          )}
          <button
            class="button button-quiet button-icon"
            type="button"
            aria-label="Put this message away"
            onClick={() => {
              actNotice.value = null;
            }}
          >
            <Icon name="close" />
          </button>
        </p>
      )}
    </div>
  );
}
