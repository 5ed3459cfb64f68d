/** Keeps the text of every policy that was in force, under its hash, for as long as the log itself. */
export interface PolicyTexts {
  /** Keeps a text, once. True when it is kept as safely as records are; false when that is not known. */
  keep(hash: string, text: string): Promise<boolean>;
  /** The text, or null where it was never kept. Rejects with `store_unavailable`. */
  find(hash: string): Promise<string | null>;
}
