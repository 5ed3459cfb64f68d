import { hash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';

const FOLDER = new URL('./assets/', import.meta.url);

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
};

/** In order of preference; `identity` is always acceptable to us. */
const ENCODERS = [
  ['br', promisify<Buffer, Buffer>(brotliCompress)],
  ['gzip', promisify<Buffer, Buffer>(gzip)],
] as const;

/** One representation of an asset. The entity tag is strong, and thus another for each encoding. */
interface Representation {
  readonly body: Buffer;
  readonly encoding: 'br' | 'gzip' | 'identity';
  readonly etag: string;
}

/** One file of the page. */
export interface Asset {
  readonly name: string;
  readonly type: string;
  /** The name holds a hash of the content, so that it never changes. */
  readonly isImmutable: boolean;
  /**
   * The smallest representation that an `Accept-Encoding` field allows. Each is made once, when first asked
   * for.
   */
  representation(acceptEncoding: string | undefined): Promise<Representation>;
}

/** Reads the files of the page, which are few and small, into memory. */
export function loadAssets(): readonly Asset[] {
  return readdirSync(FOLDER).map((name) => createAsset(name, readFileSync(new URL(name, FOLDER))));
}

function createAsset(name: string, content: Buffer): Asset {
  const type = TYPES[extname(name)];
  if (type === undefined) throw new Error(`the page holds a file of an unknown type: ${name}`);
  const digest = hash('sha256', content).slice(0, 16);
  const toRepresentation = (body: Buffer, encoding: Representation['encoding']): Representation => ({
    body,
    encoding,
    etag: `"${digest}-${encoding}"`,
  });
  const plain = Promise.resolve(toRepresentation(content, 'identity'));
  const made = new Map<string, Promise<Representation>>();
  return {
    name,
    type,
    isImmutable: /-[A-Z0-9]{8}\.(?:js|css)$/.test(name),
    representation: (acceptEncoding = '') => {
      const encoder = ENCODERS.find(([encoding]) => accepts(acceptEncoding, encoding));
      if (encoder === undefined) return plain;
      const [encoding, encode] = encoder;
      const known = made.get(encoding);
      if (known !== undefined) return known;
      const making = encode(content).then((body) => toRepresentation(body, encoding));
      made.set(encoding, making);
      return making;
    },
  };
}

/** RFC 9110, 12.5.3: an encoding is acceptable unless its weight is 0; `*` is not worth reading. */
function accepts(field: string, encoding: string): boolean {
  return field.split(',').some((part) => {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    return name === encoding && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}
