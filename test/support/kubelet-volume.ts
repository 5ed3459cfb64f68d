import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

type Files = Readonly<Record<string, string>>;

/**
 * Fills a folder as the kubelet fills the volume of a ConfigMap or a Secret (AtomicWriter): each name is a link
 * into `..data`, which is a link to a folder with a time as its name. What is returned changes the files as the
 * kubelet does: a new folder, a rename of `..data`, and the old folder is removed.
 */
export function fillVolume(folder: string, files: Files, mode = 0o644): (next: Files) => void {
  mkdirSync(folder, { recursive: true });
  const write = (contents: Files): void => {
    const stamp = mkdtempSync(join(folder, '..2026_11_30_12_00_00.'));
    chmodSync(stamp, 0o755);
    for (const [name, text] of Object.entries(contents)) {
      writeFileSync(join(stamp, name), text);
      chmodSync(join(stamp, name), mode);
    }
    symlinkSync(stamp.slice(folder.length + 1), join(folder, '..data_tmp'));
  };
  write(files);
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
  for (const name of Object.keys(files)) symlinkSync(join('..data', name), join(folder, name));
  return (next) => {
    const before = readlinkSync(join(folder, '..data'));
    write(next);
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    rmSync(join(folder, before), { recursive: true });
  };
}
