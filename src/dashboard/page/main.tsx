import { render } from 'preact';
import { Dashboard } from './dashboard.tsx';
import { resumeSession, session } from './session.ts';
import { SignIn } from './sign-in.tsx';

function Page() {
  const current = session.value;
  if (current === undefined) return null;
  return current === null ? <SignIn /> : <Dashboard session={current} />;
}

const root = document.getElementById('app');
if (root !== null) render(<Page />, root);
void resumeSession();
