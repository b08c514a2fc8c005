import type { Product } from '../api/product.ts'
import { iam } from '../products/iam/index.ts'
import { cloudRun, type CloudRun } from '../products/run/index.ts'
import type { RunNeeds } from '../products/run/needs.ts'
import { secretManager, type SecretManager } from '../products/secretmanager/index.ts'
import { cloudSql, type CloudSql } from '../products/sql/index.ts'
import { cloudStorage } from '../products/storage/index.ts'
import type { Foundation } from './foundation.ts'

export interface Catalog {
  readonly all: readonly Product[]
  readonly run: CloudRun
  readonly sql: CloudSql
  readonly secrets: SecretManager
}

/** Every product that is emulated, one line each. What one needs of another is handed to it here. */
export async function openCatalog(foundation: Foundation, surroundings: RunNeeds['surroundings']): Promise<Catalog> {
  const { state, clock, log, projects, tokens, postgres, operations, router, engines, containerLog } = foundation
  const project = (idOrNumber: string) => projects.get(idOrNumber)
  const secrets = secretManager({ state, clock, project })
  const sql = cloudSql({ state, clock, log, project, postgres })
  const storage = cloudStorage({ state, clock, log, project, signingKeys: (email) => tokens.accountKeys.verifiers(email) })
  const accounts = iam({ state, clock, tokens, project, projects: () => projects.list() })
  const run = cloudRun({
    state,
    clock,
    log,
    operations,
    router,
    containerLog,
    project,
    surroundings,
    readIdToken: (token) => tokens.readIdToken(token),
    projectPolicy: (id) => accounts.projectPolicy(id),
    onProjectPolicy: (listener) => accounts.onProjectPolicy(listener),
    isUp: (id) => projects.get(id).isUp,
    async engineFor(id) {
      const engine = await engines.forProject(id)
      // What runs for a project that nobody ran `devcloud up` for is found by `clean`, `logs` and the next daemon too.
      if (!projects.list().some((known) => known.id === id)) await projects.put({ ...projects.get(id), engine: engine.kind })
      return engine
    },
    accessSecret: async (name) => secrets.access(name),
    bucketFolder: (bucket) => storage.folder(bucket),
    onSecretChange: (listener) => secrets.onChange(listener),
    socketDirectory: (connectionName) => sql.socketDirectory(connectionName),
  })
  return { all: [run, sql, storage, secrets, accounts], run, sql, secrets }
}
