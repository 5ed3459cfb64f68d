import { type AlertRule, alertsDocumentSchema } from '../domain/alerts/alert-rule.ts';
import type { Result } from '../platform/result.ts';
import { parseYaml } from '../platform/yaml-document.ts';

/** The rules of the text of a file of alerts, or every mistake in it as `line:column: message`. */
export function checkAlerts(text: string): Result<readonly AlertRule[]> {
  const document = parseYaml(text, { texts: ['description'] });
  if (document.mistakes.length > 0) return { ok: false, mistakes: document.mistakes };
  const parsed = alertsDocumentSchema.safeParse(document.value);
  if (!parsed.success) {
    const mistakes = parsed.error.issues.map(({ path, message }) => ({
      path: path.filter((step) => typeof step !== 'symbol'),
      message,
    }));
    return { ok: false, mistakes: document.describe(mistakes) };
  }
  const rules = Object.entries(parsed.data.alerts).map(([name, rule]) => ({ name, ...rule }));
  return { ok: true, value: rules };
}
