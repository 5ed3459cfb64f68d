/** A Markdown table. Pipes in cells are escaped, inside code as well, as GitHub's tables want it. */
export function toTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

/** The text as inline code. */
export function code(text: string): string {
  return `\`${text}\``;
}
