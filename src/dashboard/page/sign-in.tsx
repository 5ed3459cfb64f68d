import { useSignal } from '@preact/signals';
import type { TargetedSubmitEvent } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { Icon, Mark } from './icons.tsx';
import {
  isOpenIdOffered,
  notice,
  noticeDetail,
  openIdAddress,
  type SignInNotice,
  signIn,
} from './session.ts';

const NOTICES: Readonly<Record<Exclude<SignInNotice, 'none'>, { title: string; text: string }>> = {
  wrong_key: {
    title: 'This key is not accepted',
    text: 'It is unknown here, or it has expired. Check that you copied all of it.',
  },
  no_permission: {
    title: 'This key may not read decisions',
    text: 'It is a valid key without the scope “read”. Ask whoever runs this service for one that has it.',
  },
  too_many: {
    title: 'Too many tries',
    text: 'Too many wrong keys or sign-ins came from this address. Wait a minute, then try again.',
  },
  unreachable: {
    title: 'The service does not answer',
    text: 'It may be restarting, or your connection is interrupted. Try again in a moment.',
  },
  ended: {
    title: 'You have been signed out',
    text: 'Your session has ended, or its key is not accepted any more: it has expired or was replaced.',
  },
  refused: {
    title: 'You were not signed in',
    text: 'Your organisation’s sign-in was cancelled, or it does not let you in here.',
  },
  failed: {
    title: 'The sign-in failed',
    text: 'What came back from your organisation’s sign-in cannot be used. Try again; if it goes on, whoever runs this service finds the reason in its log.',
  },
  late: {
    title: 'That sign-in is too old',
    text: 'It took longer than ten minutes, or began in another browser. Try again.',
  },
  not_kept: {
    title: 'You could not be signed in',
    text: 'Sessions cannot be kept at the moment. Try again soon.',
  },
  no_group: {
    title: 'You are not allowed in here',
    text: 'Your organisation knows you, but you are in none of the groups that may use this page.',
  },
  unavailable: {
    title: 'Your organisation’s sign-in does not answer',
    text: 'Try again in a moment, or use an API key. Decisions are not affected.',
  },
  still_open: {
    title: 'You may still be signed in',
    text: 'The service could not be told. Sign in and out again, or close the browser.',
  },
};

/**
 * Asks for an API key. The field has no name, and the form submits nowhere: the key cannot end up in a URL.
 */
export function SignIn() {
  const isBusy = useSignal(false);
  const field = useRef<HTMLInputElement>(null);
  // Before the first key that may be meant for it.
  useLayoutEffect(() => field.current?.focus(), []);
  const submit = async (event: TargetedSubmitEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const key = field.current?.value.trim() ?? '';
    if (key === '' || isBusy.value) return;
    isBusy.value = true;
    await signIn(key);
    isBusy.value = false;
    if (field.current !== null) field.current.select();
  };
  return (
    <main class="sign-in">
      <form class="sign-in-card" onSubmit={(event) => void submit(event)} autocomplete="off">
        <div class="brand">
          <Mark />
          <h1>riskgate</h1>
        </div>
        <p class="lead">What is being blocked, what is being challenged, and why.</p>
        <Notice />
        {isOpenIdOffered.value && (
          <>
            <a class="button button-primary" href={openIdAddress()}>
              Sign in with your organisation
            </a>
            <p class="sign-in-or">or with an API key</p>
          </>
        )}
        <label class="field">
          <span>API key</span>
          <input
            ref={field}
            type="password"
            autocomplete="current-password"
            spellcheck={false}
            required
            aria-describedby="key-hint"
          />
        </label>
        <button
          class={`button ${isOpenIdOffered.value ? '' : 'button-primary'}`}
          type="submit"
          disabled={isBusy.value}
        >
          {isBusy.value ? 'Signing in…' : 'Sign in'}
        </button>
        <p class="hint" id="key-hint">
          Needs the scope <code>read</code>. The browser then holds a session in place of the key, which no
          script can read. It ends 12 hours after its last use.
        </p>
      </form>
    </main>
  );
}

function Notice() {
  if (notice.value === 'none') return null;
  const { title, text } = NOTICES[notice.value];
  const isPermission = notice.value === 'no_permission' || notice.value === 'no_group';
  return (
    <div class={`notice ${isPermission ? 'notice-permission' : 'notice-error'}`} role="alert">
      <Icon name={isPermission ? 'lock' : 'alert'} />
      <div>
        <strong>{title}</strong>
        <p>{text}</p>
        {notice.value === 'too_many' && noticeDetail.value !== '' && <p>{noticeDetail.value}</p>}
      </div>
    </div>
  );
}
