import { openBorders, type Borders } from '../api/borders.ts'
import { openIamPolicies } from '../api/iam-policy.ts'
import { isProjectId } from '../api/names.ts'
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
  /** Between the identities of one project and what others have. */
  readonly borders: Borders
}

/** Every product that is emulated, one line each. What one needs of another is handed to it here. */
export async function openCatalog(foundation: Foundation, surroundings: RunNeeds['surroundings']): Promise<Catalog> {
  const { state, clock, log, projects, tokens, postgres, operations, router, engines, containerLog } = foundation
  const project = (idOrNumber: string) => projects.get(idOrNumber)
  const secrets = secretManager({ state, clock, project })
  const sql = cloudSql({ state, clock, log, project, postgres })
  const storage = cloudStorage({
    state,
    clock,
    log,
    project,
    signingKeys: (email) => tokens.accountKeys.verifiers(email),
    isAtHome: (caller, id) => borders.isAtHome(caller, id),
    projectPolicy: (id) => accounts.projectPolicy(id),
  })
  const accounts = iam({
    state,
    clock,
    tokens,
    project,
    projects: () => projects.list(),
    borders: () => borders,
    replaceMember: (member, next) => storage.replaceMember(member, next),
  })
  const policies = openIamPolicies(state)
  const borders = openBorders({
    project,
    emailOfAccount: (uniqueId) => accounts.emailOfAccount(uniqueId),
    policy: (name) =>
      name.indexOf('/') === name.lastIndexOf('/') ? accounts.projectPolicy(name.slice('projects/'.length)) : policies.get(name),
  })
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
      if (isProjectId(id) && !projects.list().some((known) => known.id === id))
        await projects.put({ ...projects.get(id), engine: engine.kind })
      return engine
    },
    async accessSecret(name, email) {
      borders.check({ email }, name, 'accessSecretVersion')
      return secrets.access(name)
    },
    bucketFolder: (bucket, email, readOnly) => storage.folder({ email }, bucket, readOnly),
    onSecretChange: (listener) => secrets.onChange(listener),
    async socketDirectory(connectionName, email) {
      const [owner = '', , instance = ''] = readConnectionName(connectionName)
      borders.check({ email }, `projects/${owner}/instances/${instance}`, 'connect')
      return sql.socketDirectory(connectionName)
    },
  })
  return { all: [run, sql, storage, secrets, accounts], run, sql, secrets, borders }
}

/** `PROJECT:REGION:INSTANCE`, where the project may have a domain before it: `example.com:shop:us-central1:main`. */
function readConnectionName(name: string): readonly [project: string, region: string, instance: string] {
  const words = name.split(':')
  return [words.slice(0, -2).join(':'), words.at(-2) ?? '', words.at(-1) ?? '']
}
