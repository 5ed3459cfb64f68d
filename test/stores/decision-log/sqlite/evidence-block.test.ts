import t from 'tap';
import {
  EvidenceBlock,
  type EvidenceParts,
  toEvidenceBlock,
} from '../../../../src/stores/decision-log/sqlite/evidence-block.ts';

const hashOf = (number: number) => number.toString(16).padStart(32, '0');

/** Evidence of three kinds, by turns. */
const PIECES: readonly EvidenceParts[] = Array.from({ length: 100 }, (_, serial) => {
  const numbers = [[], [serial * 7, `NET-${serial % 5}`], [serial / 100, -serial, 'Oslo']][serial % 3] ?? [];
  const hashes = [hashOf(serial), '', hashOf(1) + hashOf(serial % 4)][serial % 3] ?? '';
  return { form: 1 + (serial % 7), numbers, hashes };
});

t.test('gives each piece back, and its numbers without its hashes', async (t) => {
  const bytes = toEvidenceBlock(PIECES);
  const block = new EvidenceBlock(bytes);
  t.equal(block.length, PIECES.length);
  for (const [place, piece] of PIECES.entries()) {
    t.equal(block.formAt(place), piece.form);
    t.same(
      piece.numbers.map((_, at) => block.numberAt(place, at)),
      piece.numbers,
    );
    t.equal(block.numberAt(place, piece.numbers.length), undefined);
    t.same(block.at(place), piece);
  }
});

t.test('keeps a hash that many pieces have in a few bytes', async (t) => {
  const withHash = (hash: (serial: number) => string) =>
    toEvidenceBlock(PIECES.map((piece, serial) => ({ ...piece, hashes: hash(serial) }))).length;
  const random = (serial: number) =>
    hashOf((serial * 2_654_435_761) % 2 ** 32).replace(/^0{24}/, 'f'.repeat(24));
  t.ok(withHash(() => hashOf(1)) + 100 < withHash(random));
});

t.test('refuses a block that is damaged, wherever it is', async (t) => {
  const bytes = Buffer.from(toEvidenceBlock(PIECES));
  // What stands first says how much memory to ask for, and is not relied on.
  for (let place = 12; place < bytes.length; place += 13) {
    const torn = Buffer.from(bytes);
    torn[place] = (torn[place] ?? 0) ^ 0x55;
    t.throws(() => new EvidenceBlock(torn).at(0), `byte ${place}`);
  }
  t.throws(() => new EvidenceBlock(bytes.subarray(0, -1)).at(0));
  t.throws(() => new EvidenceBlock(new Uint8Array()));
});
