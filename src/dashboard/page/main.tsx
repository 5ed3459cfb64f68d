import { render } from 'preact';
import { Dashboard } from './dashboard.tsx';
import { session } from './session.ts';
import { SignIn } from './sign-in.tsx';

function Page() {
  const current = session.value;
  return current === null ? <SignIn /> : <Dashboard session={current} />;
}

const root = document.getElementById('app');
if (root !== null) render(<Page />, root);
