import type { Address } from './address.ts';
import type { Query } from './api-client.ts';

/**
 * What the service is asked of: filters, and the window that ends now. Where a filter says since when, that is the
 * window; where one says until when, the window ends then.
 */
export function toWindowQuery({ window, filters }: Pick<Address, 'window' | 'filters'>): Query {
  return filters.since === undefined ? { ...filters, window } : { ...filters };
}
