import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';

interface Definition {
  readonly 'x-kubernetes-group-version-kind'?: readonly {
    readonly group: string;
    readonly version: string;
    readonly kind: string;
  }[];
}

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
}

/** What is wrong with a manifest by the definitions in a file, one line each. Throws for a kind that it lacks. */
export function createValidator(path: string): (manifest: Manifest) => readonly string[] {
  const document = JSON.parse(readFileSync(path, 'utf8')) as { $defs: Record<string, Definition> };
  // Their formats, such as int32, are not those of JSON Schema.
  const ajv = new Ajv2020({ strict: false, validateFormats: false, validateSchema: false, allErrors: true });
  // As the references in it are resolved.
  const id = 'https://kubernetes.invalid/api/_definitions.json';
  ajv.addSchema({ ...document, $id: id });
  return (manifest) => {
    const [version = '', group = ''] = manifest.apiVersion.split('/').toReversed();
    const [name] =
      Object.entries(document.$defs).find(([, definition]) =>
        definition['x-kubernetes-group-version-kind']?.some(
          (each) => each.group === group && each.version === version && each.kind === manifest.kind,
        ),
      ) ?? [];
    if (name === undefined) throw new Error(`${manifest.apiVersion} has no ${manifest.kind} in ${path}`);
    const validate = ajv.compile({ $ref: `${id}#/$defs/${name}` });
    if (validate(manifest)) return [];
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  };
}
