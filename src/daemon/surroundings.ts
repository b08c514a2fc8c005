import type { CertificateAuthority } from '../gateway/certificate-authority.ts'
import { environmentFor } from '../gateway/environment.ts'
import { javaOptions } from '../gateway/java-options.ts'
import type { Leads } from '../gateway/write-leads.ts'
import type { RunNeeds } from '../products/run/index.ts'
import type { Identities } from './identities.ts'
import type { Projects } from './projects.ts'

/** Where an image finds our certificates, in a folder that images do not have. */
const inside = '/etc/devcloud'

/**
 * What every instance gets so that Google's names answer from here. A container has names and addresses of its own network and only needs to
 * trust us; a process of this machine is led through the proxy.
 */
export function surroundingsOf(options: {
  readonly authority: CertificateAuthority
  readonly gatewayPort: () => number
  readonly leads: Leads
  /** Lets an application that runs as a process call the world, as one in a container may. */
  readonly tunnelToken: string
  readonly identities: Identities
  readonly projects: Projects
}): RunNeeds['surroundings'] {
  const { authority, gatewayPort, leads, tunnelToken, identities, projects } = options
  const { bundlePath, certificatePath, javaRootsPath } = authority
  return async (project, serviceAccount, engine) => {
    if (engine === 'docker') {
      return {
        env: containerEnvironment,
        options: { JAVA_TOOL_OPTIONS: javaOptions(`${inside}/java-roots`) },
        mounts: [
          { kind: 'bind', source: bundlePath, target: `${inside}/bundle.pem`, readOnly: true },
          { kind: 'bind', source: certificatePath, target: `${inside}/ca.pem`, readOnly: true },
          { kind: 'bind', source: javaRootsPath, target: `${inside}/java-roots`, readOnly: true },
          { kind: 'bind', source: bundlePath, target: '/etc/ssl/certs/ca-certificates.crt', readOnly: true },
        ],
      }
    }
    const port = await identities.listen(project.id, serviceAccount)
    const { region } = projects.get(project.id)
    const { JAVA_TOOL_OPTIONS, NODE_OPTIONS, ...env } = environmentFor({
      port: gatewayPort(),
      tunnelToken,
      bundlePath,
      certificatePath,
      javaRootsPath,
      leads,
      project: project.id,
      region,
      metadataHost: `127.0.0.1:${port}`,
    })
    return { env, options: { JAVA_TOOL_OPTIONS, NODE_OPTIONS }, mounts: [] }
  }
}

/** Which library reads which: docs/contract/sql-iam-terraform.md. Libraries that read the system's own bundle find ours in its place. */
const containerEnvironment: Readonly<Record<string, string>> = {
  SSL_CERT_FILE: `${inside}/bundle.pem`,
  REQUESTS_CA_BUNDLE: `${inside}/bundle.pem`,
  CURL_CA_BUNDLE: `${inside}/bundle.pem`,
  HTTPLIB2_CA_CERTS: `${inside}/bundle.pem`,
  GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: `${inside}/bundle.pem`,
  AWS_CA_BUNDLE: `${inside}/bundle.pem`,
  NODE_EXTRA_CA_CERTS: `${inside}/ca.pem`,
}
