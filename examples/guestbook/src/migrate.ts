import { openDatabase } from './database.ts'

const database = openDatabase()
await database.query(`CREATE TABLE IF NOT EXISTS entries (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  message text NOT NULL,
  picture text,
  written_at timestamptz NOT NULL DEFAULT now()
)`)
await database.end()
console.log(JSON.stringify({ severity: 'INFO', message: 'The database is up to date.' }))
