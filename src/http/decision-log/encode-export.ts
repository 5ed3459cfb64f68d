/** Makes one file of the lines of an export. Everything but `close` rejects where its thread is lost. */
export interface ExportEncoder {
  /** Adds whole lines, and returns the bytes of the file that are ready; often none. */
  add(lines: string): Promise<Uint8Array>;
  /** Ends the file, and returns its last bytes. */
  finish(): Promise<Uint8Array>;
  /** Ends its thread, whether or not the file is whole. Never rejects. */
  close(): Promise<void>;
}

/**
 * The file that an encoder makes of the lines of an export. It begins with the first page, so that a log that
 * cannot be read rejects before anything is there. A file that breaks off lacks its end, without which no
 * reader takes it for a file.
 */
export async function* encodeExport(
  pages: AsyncIterable<string>,
  open: () => ExportEncoder,
): AsyncGenerator<Uint8Array> {
  const encoder = open();
  try {
    for await (const lines of pages) {
      const bytes = await encoder.add(lines);
      if (bytes.length > 0) yield bytes;
    }
    yield await encoder.finish();
  } finally {
    await encoder.close();
  }
}
