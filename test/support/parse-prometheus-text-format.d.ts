/** The package has no types of its own: what it gives is compared as a whole. */
declare module 'parse-prometheus-text-format' {
  /**
   * Reads the Prometheus text format 0.0.4, escapes included; numbers stay text. Throws on what it cannot
   * read.
   */
  export default function parsePrometheusTextFormat(text: string): unknown;
}
