import { objectTables } from '../objects/schema.ts'
import { taskTable } from '../products/run/index.ts'
import { versionTable } from '../products/secretmanager/index.ts'
import type { Migration } from '../state/migrations.ts'
import { containerLineTables } from '../telemetry/container-log.ts'
import { requestTables } from '../telemetry/request-log.ts'

/**
 * Every step of the database's shape, oldest first; each stands in the room that it belongs to. Append only: databases on users' disks
 * know by their number alone which steps have run. A step that lands needs a fixture of the schema before it: test/state/fixtures.
 */
export const schema: readonly Migration[] = [objectTables, requestTables, containerLineTables, versionTable, taskTable]
