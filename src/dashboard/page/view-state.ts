import { computed, signal } from '@preact/signals';
import { type Address, formatAddress, parseAddress } from './address.ts';

/** What is shown, as the URL has it. */
export const address = signal<Address>(parseAddress(location.search));

/** True while the list stands still. */
export const isPaused = signal(false);

/** True while the list shows less than everything. */
export const isFiltered = computed(() => Object.keys(address.value.filters).length > 0);

/** The window of an address that names none; undefined until it is found. */
let settledWindow: Address['window'] | undefined;

/** The query of the address with these changes. */
export function searchOf(change: Partial<Address> = {}): string {
  return formatAddress({ ...address.value, ...change }, settledWindow);
}

/**
 * Changes a part of the address. Opening something is a step that the back button undoes; what the page chooses by
 * itself is none.
 */
export function go(change: Partial<Address>, isStep = true): void {
  const search = searchOf(change);
  if (search !== searchOf())
    history[isStep ? 'pushState' : 'replaceState'](null, '', location.pathname + search);
  address.value = { ...address.value, ...change };
}

/** True where somebody has chosen the window: here, or who sent the address. */
export function isWindowChosen(): boolean {
  return new URLSearchParams(location.search).has('window');
}

/** Sets the window that nobody has chosen. The address stays without one. */
export function settleWindow(window: Address['window']): void {
  if (isWindowChosen()) return;
  settledWindow = window;
  address.value = { ...address.value, window };
}

/** Sets one filter, or removes it. */
export function setFilter(name: keyof Address['filters'], value: string | undefined): void {
  const { [name]: _, ...others } = address.value.filters;
  go({ filters: value === undefined || value === '' ? others : { ...others, [name]: value } });
}

/** Shows everything again. */
export function clearFilters(): void {
  go({ filters: {} });
}

addEventListener('popstate', () => {
  address.value = parseAddress(location.search, settledWindow);
});
