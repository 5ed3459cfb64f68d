/** The text of a field of a form, without spaces around it; empty for none. */
export function formText(form: HTMLFormElement, name: string): string {
  const given = new FormData(form).get(name);
  return typeof given === 'string' ? given.trim() : '';
}
