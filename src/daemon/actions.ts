import { setTimeout as sleep } from 'node:timers/promises'
import { localUser } from '../api/caller.ts'
import { endpointsFor } from '../api/endpoints.ts'
import { checkProject } from '../api/names.ts'
import { CloudError } from '../base/cloud-error.ts'
import { SerialQueues } from '../base/serial-queues.ts'
import { version } from '../base/version.ts'
import { environmentFor } from '../gateway/environment.ts'
import { allProjects, cleanProjects } from './clean.ts'
import type { ControlActions } from './control.ts'
import type {
  ApiRequest,
  BuildRequest,
  EnvAnswer,
  OpenRequest,
  PsAnswer,
  TokenAnswer,
  UpRequest,
  VersionAnswer,
} from './control-protocol.ts'
import type { House } from './house.ts'
import { buildSource, openForDeploy } from './deploy-source.ts'
import { doctor } from './doctor.ts'
import { down } from './down.ts'
import { exec } from './exec.ts'
import { logs } from './logs.ts'
import { readStatus } from './read-status.ts'
import { up } from './up.ts'
import { writeToken } from './write-token.ts'

/** The audience of identity tokens that `gcloud auth print-identity-token` prints for a person; Cloud Run takes it (run trap 26). */
const gcloudClientId = '32555940559.apps.googleusercontent.com'

/** Everything that the control socket can do. Shapes: control-protocol.ts. */
export function controlActions(house: House, onShutdown: () => void): ControlActions {
  const { foundation, catalog, api } = house
  const { projects } = foundation
  /** What changes projects goes one after another, or two `up` of one project would undo each other. */
  const queues = new SerialQueues()
  return {
    get: {
      '/version': async (): Promise<VersionAnswer> => ({ version: version(), pid: process.pid }),
      '/status': () => readStatus(house),
      '/ps': async ({ project }): Promise<PsAnswer> => ({
        services: projects
          .list()
          .filter(({ id }) => project === undefined || id === project)
          .flatMap(({ id, isUp }) =>
            catalog.run.serving(id).map(({ id: service, revision, state, instances }) => ({
              project: id,
              service,
              revision,
              state: isUp ? state : 'down',
              url: catalog.urlOf(id, service),
              instances,
            })),
          ),
      }),
      '/env': (query) =>
        readEnvironment(house, { id: query['project'] ?? '', endpoints: query['endpoints'] === 'true', isOpen: query['open'] === 'true' }),
      '/doctor': () => doctor(house),
      '/identity-token': async ({ audience = gcloudClientId }): Promise<TokenAnswer> => ({
        token: await foundation.tokens.idToken(localUser.email, audience),
      }),
      '/access-token': async (): Promise<TokenAnswer> => ({ token: foundation.tokens.accessToken(localUser.email).token }),
    },
    post: {
      '/api': (input) => {
        const { method, url, body } = input as unknown as ApiRequest
        return api.call(method, url, body)
      },
    },
    stream: {
      '/up': (input, tell, signal) => queues.run(String(input['directory']), () => up(house, input as unknown as UpRequest, tell, signal)),
      '/open': (input, tell, signal) =>
        queues.run(`deploy ${String(input['project'])}`, () => openForDeploy(house, input as unknown as OpenRequest, tell, signal)),
      '/build': (input, tell, signal) => buildSource(house, input as unknown as BuildRequest, tell, signal),
      '/down': (input, tell) => down(house, knownProject(house, input['project']), tell),
      '/clean': async (input, tell) => {
        await cleanProjects(house, input['all'] === true ? allProjects(house) : [knownProject(house, input['project'])], tell)
        if (allProjects(house).length === 0) foundation.postgres.purge()
      },
      '/logs': (input, tell, signal) => logs(house, input as Readonly<Record<string, string>>, tell, signal),
      '/exec': (input, tell, signal) => exec(house, input, tell, signal),
      '/shutdown': async () => {
        void sleep(50).then(onShutdown) // after the answer
      },
    },
  }
}

function knownProject(house: House, id: unknown): string {
  const found = allProjects(house).find((project) => project === id)
  if (found !== undefined) return found
  throw new CloudError('NOT_FOUND', `There is no project "${String(id)}".`, 'devcloud status', { fault: 'NO_PROJECT' })
}

async function readEnvironment(
  house: House,
  { id, endpoints, isOpen }: { readonly id: string; readonly endpoints: boolean; readonly isOpen: boolean },
): Promise<EnvAnswer> {
  const { foundation, catalog, gateway, machineToken, ownerCheck } = house
  const { projects, authority, tokens } = foundation
  if (endpoints) {
    return {
      variables: endpointsFor(catalog.all, gateway.port, ownerCheck.isProof ? undefined : machineToken.value),
    }
  }
  checkProject(id)
  const project = projects.get(id)
  const port = await house.identities.listen(project.id, `${project.number}-compute@developer.gserviceaccount.com`)
  const { token } = tokens.accessToken(localUser.email)
  const { bundlePath, certificatePath, javaRootsPath } = authority
  return {
    variables: environmentFor({
      port: gateway.port,
      ...(isOpen && { tunnelToken: machineToken.tunnelValue }),
      bundlePath,
      certificatePath,
      javaRootsPath,
      leads: house.leads,
      project: project.id,
      region: project.region,
      metadataHost: `127.0.0.1:${port}`,
      accessToken: token,
      accessTokenFile: writeToken(foundation.stateDirectory, token),
    }),
  }
}
