// Writes src/testing/fixtures/parquet: the same 150 rows with every codec, by DuckDB, which is not the reader's author; and what DuckDB reads
// from them. Needs DuckDB, which the project doesn't install (100 MB):
//   npm install --prefix <folder> @duckdb/node-api@1.5.6-r.1, then NODE_PATH=<folder>/node_modules node tools/parquet/make_fixtures.mjs

import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const { DuckDBInstance } = createRequire(import.meta.url)('@duckdb/node-api');
const out = fileURLToPath(new URL('../../src/testing/fixtures/parquet/', import.meta.url));
const db = await (await DuckDBInstance.create(':memory:')).connect();
await db.run(`create table chat as select i as id,
  [{'role': 'user', 'content': 'question ' || (i % 7) || ' é'}, {'role': 'assistant', 'content': repeat('answer ', (i % 5)::int) || i}] as messages,
  case when i % 3 = 0 then null else 's' || (i % 4) end as system, i % 2 = 0 as flag, i * 1.5 as score
  from range(150) t(i)`);
const kinds = {
  snappy: 'codec snappy',
  zstd: 'codec zstd',
  gzip: 'codec gzip, row_group_size 64',
  brotli: 'codec brotli',
  lz4: 'codec lz4_raw',
  v2: 'codec zstd, parquet_version v2',
};
for (const [name, options] of Object.entries(kinds)) await db.run(`copy chat to '${out}${name}.parquet' (format parquet, ${options})`);
await db.run(`copy chat to '${out}rows.json' (format json)`);
