const page = (body) =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>Sign in</title><form method="post">${body}</form></html>`;

/**
 * The first page. The vendors' scripts fill in the two ids when it loads, in the prompt "risk" too, and it can
 * send itself then. Allow those scripts in the content security policy.
 */
export function signInPage({ isLogin, isWrong }) {
  const account = isLogin
    ? '<input name="user" autocomplete="username"><input name="password" type="password">'
    : '';
  return page(
    `${isWrong ? '<p>That did not work.</p>' : ''}${account}
<input name="telemetry_id" type="hidden"><input name="device_id" type="hidden"><button>Sign in</button>`,
  );
}

/** The page of the second factor. */
export function codePage({ isWrong }) {
  return page(
    `<p>${isWrong ? 'That is not the code.' : 'We have sent you a code.'}</p>
<input name="code" inputmode="numeric" autocomplete="one-time-code"><button>Go on</button>`,
  );
}
