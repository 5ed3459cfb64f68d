import type { SchemaElement } from 'hyparquet-writer';

/** The types that a column can have; every column may be null. `timestamp`: UTC, to the millisecond. */
type ColumnType = 'bool' | 'int64' | 'double' | 'string' | 'timestamp' | 'strings';

/** One column of a table. */
export interface TableColumn {
  readonly name: string;
  readonly type: ColumnType;
}

/** A value of a column: a timestamp in Unix milliseconds, an integer as a number; null where there is none. */
export type CellValue = boolean | number | string | readonly string[] | null;

const SCALARS = {
  bool: { type: 'BOOLEAN' },
  int64: { type: 'INT64' },
  double: { type: 'DOUBLE' },
  string: { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } },
  // The older annotation is for readers that do not know the newer one.
  timestamp: {
    type: 'INT64',
    converted_type: 'TIMESTAMP_MILLIS',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' },
  },
} as const satisfies Readonly<Record<Exclude<ColumnType, 'strings'>, Omit<SchemaElement, 'name'>>>;

/** The schema of a file with these columns, each of which may be null. */
export function toSchema(columns: readonly TableColumn[]): SchemaElement[] {
  return [{ name: 'root', num_children: columns.length }, ...columns.flatMap(toElements)];
}

/** A list has three levels: https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#lists */
function toElements({ name, type }: TableColumn): SchemaElement[] {
  if (type !== 'strings') return [{ name, repetition_type: 'OPTIONAL', ...SCALARS[type] }];
  return [
    {
      name,
      repetition_type: 'OPTIONAL',
      num_children: 1,
      converted_type: 'LIST',
      logical_type: { type: 'LIST' },
    },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', repetition_type: 'REQUIRED', ...SCALARS.string },
  ];
}
