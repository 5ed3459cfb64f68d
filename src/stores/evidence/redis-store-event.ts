/** What an operator wants to read in a log. Codes are constants, never text of a caller; `key` holds a keyed hash. */
export type RedisStoreEvent =
  | { readonly kind: 'up' }
  | { readonly kind: 'down'; readonly reason: string }
  | { readonly kind: 'subscribed' }
  | { readonly kind: 'unsubscribed'; readonly reason: string }
  | { readonly kind: 'command_refused'; readonly code: string }
  | { readonly kind: 'value_refused'; readonly key: string }
  | { readonly kind: 'message_refused' };
