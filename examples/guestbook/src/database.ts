import pg from 'pg'

/** Cloud SQL's socket is a folder below /cloudsql, which Cloud Run mounts. */
export function openDatabase(): pg.Pool {
  return new pg.Pool({
    host: process.env['INSTANCE_UNIX_SOCKET'],
    user: process.env['DB_USER'],
    password: process.env['DB_PASS'],
    database: process.env['DB_NAME'],
    max: 5,
  })
}
