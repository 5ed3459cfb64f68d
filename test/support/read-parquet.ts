import { DuckDBInstance } from '@duckdb/node-api';

/** Reads a file of Parquet with DuckDB: `file` in the query stands for it. Rejects with what DuckDB says. */
export async function queryParquet(path: string, sql: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    await connection.run("SET TimeZone = 'UTC'");
    await connection.run(`CREATE VIEW file AS SELECT * FROM read_parquet('${path}')`);
    return (await connection.runAndReadAll(sql)).getRowObjectsJson();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** The type of each column, as DuckDB names it. */
export async function parquetTypes(path: string): Promise<ReadonlyMap<string, string>> {
  const rows = await queryParquet(path, 'DESCRIBE file');
  return new Map(rows.map((row) => [String(row['column_name']), String(row['column_type'])]));
}
