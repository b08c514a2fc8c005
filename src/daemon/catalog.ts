import { openBorders, type Borders } from '../api/borders.ts'
import { openIamPolicies } from '../api/iam-policy.ts'
import { isProjectId } from '../api/names.ts'
import type { Product, ProductOffer } from '../api/product.ts'
import type { Section } from '../config/section.ts'
import { iam, iamOffer } from '../products/iam/index.ts'
import { cloudRun, runOffer, type CloudRun, type RunNeeds } from '../products/run/index.ts'
import { secretManager, secretManagerOffer } from '../products/secretmanager/index.ts'
import { cloudSql, sqlOffer } from '../products/sql/index.ts'
import { cloudStorage, storageOffer } from '../products/storage/index.ts'
import type { Foundation } from './foundation.ts'

/** What every product is before it is opened. */
export const offers: readonly ProductOffer[] = [secretManagerOffer, sqlOffer, storageOffer, runOffer, iamOffer]

/** The sections of devcloud.yaml, in the order in which a file has them. */
export const sections: readonly Section[] = offers.flatMap(({ section }) => section ?? [])

/** A product that stands outside this repository's catalog: a test's own, say. */
export type MoreProduct = (foundation: Foundation) => Product

export interface Catalog {
  /** What a product stands on is before it. */
  readonly all: readonly Product[]
  /** The one that runs containers. */
  readonly run: CloudRun
  /** The URL that a browser on this machine opens for a service. */
  urlOf(project: string, service: string): string
  /** Between the identities of one project and what others have. */
  readonly borders: Borders
}

/** Every product that is emulated, one line each. What one needs of another is handed to it here. */
export async function openCatalog(
  foundation: Foundation,
  surroundings: RunNeeds['surroundings'],
  more: readonly MoreProduct[] = [],
): Promise<Catalog> {
  const { state, clock, log, projects, tokens, postgres, operations, router, engines, containerLog } = foundation
  const project = (idOrNumber: string) => projects.get(idOrNumber)
  const others = more.map((open) => open(foundation))
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
    apis: Object.assign({}, ...[...offers, ...others].map(({ apis = {} }) => apis)) as Readonly<Record<string, string>>,
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
  const urlOf = (id: string, service: string): string => serviceUrl(foundation, run, id, service)
  const run: CloudRun = cloudRun({
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
    urlOf,
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
  return { all: [secrets, sql, storage, ...others, run, accounts], run, urlOf, borders }
}

/** Short, unless another project that is up has a service of that name. */
function serviceUrl({ projects, router }: Foundation, run: CloudRun, project: string, service: string): string {
  const others = projects.list().filter(({ id, isUp }) => id !== project && isUp)
  const isShared = others.some(({ id }) => run.serving(id).some((other) => other.id === service))
  const host = isShared ? `${service}.${project}.localhost` : `${service}.localhost`
  return `http://${host}${router.port === 80 ? '' : `:${router.port}`}`
}

/** `PROJECT:REGION:INSTANCE`, where the project may have a domain before it: `example.com:shop:us-central1:main`. */
function readConnectionName(name: string): readonly [project: string, region: string, instance: string] {
  const words = name.split(':')
  return [words.slice(0, -2).join(':'), words.at(-2) ?? '', words.at(-1) ?? '']
}
