import type { Query } from './api-client.ts';

/** The windows of the charts. */
export const WINDOWS = ['15m', '1h', '6h', '24h', '7d', '30d'] as const;

/** A window of time that the page offers. */
export type Window = (typeof WINDOWS)[number];

/** The filters that an address may carry. Identifiers are not among them: they stay in memory. */
export const FILTER_NAMES = [
  'decision',
  'reason',
  'rule',
  'label',
  'provider_outcome',
  'caller',
  'entry_point',
  'action',
  'degraded',
  'policy',
  'transition',
  'country',
  'asn',
  'since',
  'until',
] as const;

/** A filter of the list, by its name in the URL. */
export type FilterName = (typeof FILTER_NAMES)[number];
type Filters = Readonly<Partial<Record<FilterName, string>>>;

/** What of the page's state is in its URL. */
export interface Address {
  readonly window: Window;
  readonly filters: Filters;
  /** The decision that is open. */
  readonly decisionId: string | null;
}

const WINDOW_DEFAULT: Window = '1h';
/** Longer than any filter that the service takes. */
const VALUE_LENGTH_MAX = 100;

/** A UUIDv7. Whatever else was typed may be an identifier of a person, and stays out of the URL. */
export function isDecisionId(text: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i.test(text);
}

/** Reads the query of a URL; what makes no sense is left out. */
export function parseAddress(search: string): Address {
  const parameters = new URLSearchParams(search);
  const filters: Partial<Record<FilterName, string>> = {};
  for (const name of FILTER_NAMES) {
    const value = parameters.get(name);
    if (value !== null && value !== '' && value.length <= VALUE_LENGTH_MAX) filters[name] = value;
  }
  const decisionId = parameters.get('decision_id');
  return {
    window: WINDOWS.find((one) => one === parameters.get('window')) ?? WINDOW_DEFAULT,
    filters,
    decisionId: decisionId !== null && isDecisionId(decisionId) ? decisionId : null,
  };
}

/** The query of the address, with its question mark; empty for the page as it opens. */
export function formatAddress({ window, filters, decisionId }: Address): string {
  const parameters = new URLSearchParams();
  if (window !== WINDOW_DEFAULT) parameters.set('window', window);
  for (const name of FILTER_NAMES) {
    const value = filters[name];
    if (value !== undefined) parameters.set(name, value);
  }
  if (decisionId !== null) parameters.set('decision_id', decisionId);
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}

/** What an analyst looks for by its raw identifier. */
export interface Lookup {
  readonly kind: 'device_id' | 'telemetry_id' | 'account_id';
  readonly id: string;
}

/** The query that the service is asked. */
export function toQuery(filters: Filters, lookup: Lookup | null): Query {
  return lookup === null ? { ...filters } : { ...filters, [lookup.kind]: lookup.id };
}
