/** Says at most once in `intervalMs` for each subject that something may be said, so that a flood of equal events makes few log lines. `subject` comes from a closed list. */
export function createSpacing(intervalMs: number, monotonicMs: () => number): (subject: string) => boolean {
  const lastMs = new Map<string, number>();
  return (subject) => {
    const nowMs = monotonicMs();
    const last = lastMs.get(subject);
    if (last !== undefined && nowMs - last < intervalMs) return false;
    lastMs.set(subject, nowMs);
    return true;
  };
}
