const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];

/** True for an `https:` URL, or an `http:` one on loopback, without user, query and fragment. */
export function isSecureUrl(text: string): boolean {
  if (!URL.canParse(text) || /[?#]/.test(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  const isSafe = protocol === 'https:' || (protocol === 'http:' && LOOPBACK.includes(hostname));
  return isSafe && username === '' && password === '';
}
