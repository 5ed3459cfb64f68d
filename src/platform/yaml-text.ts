import { Document, isCollection, isMap, isPair, visit } from 'yaml';

/** So deep in mappings, one stands on one line. */
const FLOW_DEPTH = 3;

/** The YAML of plain data, much as people write it: lists and mappings of single values stand on one line. */
export function toYaml(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Collection: (_, node, path) => {
      const depth = path.filter(isMap).length;
      const items: readonly unknown[] = node.items;
      const isLeaf = items.every((item) => !isCollection(isPair(item) ? item.value : item));
      if (depth > 0 && (isLeaf || depth >= FLOW_DEPTH)) node.flow = true;
    },
  });
  return document.toString({ lineWidth: 0 });
}
