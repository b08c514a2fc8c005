import { Option, type Command } from 'commander'
import { CloudError } from '../../../base/cloud-error.ts'
import type { Given } from './flag-values.ts'

/** A flag as gcloud has it: `value` is what its help shows; without it the flag is a switch, and with `both` there is `--no-` too. */
export interface Flag {
  readonly name: string
  readonly help: string
  readonly value?: string
  readonly both?: true
}

/** Makes commander think of the flag alone when it guesses what `--set-env-var=A=1` was meant to be. */
function guessByFlag(command: Command): void {
  const { unknownOption } = command as unknown as { readonly unknownOption: (flag: string) => void }
  Object.assign(command, { unknownOption: (flag: string) => unknownOption.call(command, flag.replace(/=.*/s, '')) })
}

/** @returns where the flags of this command line are found, in their order, once it is parsed */
export function declareFlags(command: Command, flags: readonly Flag[], refused: readonly string[] = []): readonly Given[] {
  guessByFlag(command)
  const given: Given[] = []
  for (const { name, help, value, both } of flags) {
    command.addOption(new Option(value === undefined ? `--${name}` : `--${name} <${value}>`, help))
    command.on(`option:${name}`, (text: string | undefined) => given.push({ flag: name, value: text ?? 'true' }))
    if (both === undefined) continue
    command.addOption(new Option(`--no-${name}`).hideHelp())
    command.on(`option:no-${name}`, () => given.push({ flag: name, value: 'false' }))
  }
  for (const name of refused) {
    command.addOption(new Option(`--${name} [value]`).hideHelp())
    command.on(`option:${name}`, () => {
      throw new CloudError(
        'UNIMPLEMENTED',
        `devcloud does not emulate --${name}.`,
        'Leave it out here: it says nothing about how the application runs.',
        {
          fault: 'NOT_EMULATED',
        },
      )
    })
  }
  return given
}

const container: readonly Flag[] = [
  { name: 'image', value: 'IMAGE', help: 'image to run' },
  { name: 'source', value: 'FOLDER', help: 'folder to build and run' },
  { name: 'container', value: 'NAME', help: 'flags of a container that follow are about this one' },
  { name: 'command', value: 'WORDS', help: "in place of the image's entrypoint; empty for its own" },
  { name: 'args', value: 'WORDS', help: 'arguments of the command; empty for none' },
  { name: 'cpu', value: 'CPU', help: 'limit: 1, 0.5, 500m' },
  { name: 'memory', value: 'MEMORY', help: 'limit: 512Mi, 2Gi' },
  { name: 'depends-on', value: 'NAMES', help: 'containers that start before this one' },
  { name: 'startup-probe', value: 'KEY=VALUE', help: 'httpGet.path=/up,httpGet.port=8080,periodSeconds=5; empty for none' },
  { name: 'set-env-vars', value: 'KEY=VALUE', help: 'these variables and no others' },
  { name: 'update-env-vars', value: 'KEY=VALUE', help: 'add or change these variables' },
  { name: 'remove-env-vars', value: 'KEYS', help: 'take these variables away' },
  { name: 'clear-env-vars', help: 'take every variable away' },
  { name: 'env-vars-file', value: 'FILE', help: 'the variables of a YAML file and no others' },
  { name: 'set-secrets', value: 'KEY=SECRET:VERSION', help: 'these secrets and no others; a KEY with / is a file' },
  { name: 'update-secrets', value: 'KEY=SECRET:VERSION', help: 'add or change these secrets' },
  { name: 'remove-secrets', value: 'KEYS', help: 'take these secrets away' },
  { name: 'clear-secrets', help: 'take every secret away' },
  { name: 'add-volume-mount', value: 'volume=NAME,mount-path=PATH', help: 'show a volume at a path' },
  { name: 'remove-volume-mount', value: 'PATHS', help: 'take these mounts away' },
  { name: 'clear-volume-mounts', help: 'take every mount away' },
]

/** What services, jobs and worker pools have in common. */
const templateFlags: readonly Flag[] = [
  ...container,
  { name: 'remove-containers', value: 'NAMES', help: 'take these containers away' },
  { name: 'service-account', value: 'EMAIL', help: 'whose identity it has' },
  { name: 'labels', value: 'KEY=VALUE', help: 'add or change labels' },
  { name: 'update-labels', value: 'KEY=VALUE', help: 'the same' },
  { name: 'remove-labels', value: 'KEYS', help: 'take these labels away' },
  { name: 'clear-labels', help: 'take every label away' },
  { name: 'set-cloudsql-instances', value: 'INSTANCES', help: 'sockets of these instances under /cloudsql, and no others' },
  { name: 'add-cloudsql-instances', value: 'INSTANCES', help: 'these too' },
  { name: 'remove-cloudsql-instances', value: 'INSTANCES', help: 'not these' },
  { name: 'clear-cloudsql-instances', help: 'none' },
  { name: 'add-volume', value: 'name=NAME,type=TYPE', help: 'cloud-storage (bucket=), in-memory (size-limit=), nfs (location=)' },
  { name: 'remove-volume', value: 'NAMES', help: 'take these volumes away' },
  { name: 'clear-volumes', help: 'take every volume away' },
  { name: 'execution-environment', value: 'gen1|gen2', help: 'generation of the sandbox' },
]

/** `run deploy` and `run services update`. */
export const serviceFlags: readonly Flag[] = [
  ...templateFlags,
  { name: 'port', value: 'PORT', help: 'where the container listens, told to it as $PORT; or default' },
  { name: 'use-http2', both: true, help: 'speak HTTP/2 (h2c) to the container' },
  { name: 'liveness-probe', value: 'KEY=VALUE', help: 'as --startup-probe; a failing instance is replaced' },
  { name: 'concurrency', value: 'COUNT', help: 'requests that an instance takes at a time, or default' },
  { name: 'timeout', value: 'DURATION', help: 'of a request: 300, 10m5s' },
  { name: 'min', value: 'COUNT', help: 'instances of the service that always run, or default' },
  { name: 'max', value: 'COUNT', help: 'instances of the service at most, or default' },
  { name: 'scaling', value: 'auto|COUNT', help: 'automatic, or that many instances' },
  { name: 'min-instances', value: 'COUNT', help: 'instances of the revision that always run, or default' },
  { name: 'max-instances', value: 'COUNT', help: 'instances of the revision at most, or default' },
  { name: 'cpu-throttling', both: true, help: 'CPU only while requests are in flight' },
  { name: 'cpu-boost', both: true, help: 'more CPU while it starts' },
  { name: 'session-affinity', both: true, help: "a client's requests to one instance, as far as possible" },
  { name: 'ingress', value: 'all|internal|internal-and-cloud-load-balancing', help: 'where requests may come from' },
  { name: 'invoker-iam-check', both: true, help: 'ask for an identity that may invoke it' },
  { name: 'default-url', both: true, help: 'answer on the run.app URL' },
  { name: 'deploy-health-check', both: true, help: 'start one instance before traffic moves' },
  { name: 'description', value: 'TEXT', help: 'for people' },
  { name: 'set-custom-audiences', value: 'URLS', help: 'further audiences of identity tokens, and no others' },
  { name: 'add-custom-audiences', value: 'URLS', help: 'these too' },
  { name: 'remove-custom-audiences', value: 'URLS', help: 'not these' },
  { name: 'clear-custom-audiences', help: 'none' },
  { name: 'tag', value: 'TAG', help: 'tag of the new revision: a URL of its own' },
  { name: 'traffic', both: true, help: 'with --no-: the new revision takes no traffic' },
  { name: 'revision-suffix', value: 'SUFFIX', help: 'the new revision is SERVICE-SUFFIX' },
]

/** `run jobs deploy|create|update`. */
export const jobFlags: readonly Flag[] = [
  ...templateFlags,
  { name: 'tasks', value: 'COUNT', help: 'tasks of an execution' },
  { name: 'parallelism', value: 'COUNT', help: 'tasks at a time; 0 or default for as many as there are' },
  { name: 'max-retries', value: 'COUNT', help: 'further attempts of a task that failed' },
  { name: 'task-timeout', value: 'DURATION', help: 'of an attempt: 600, 1h' },
]

/** `run jobs execute`: for this execution alone. */
export const executeFlags: readonly Flag[] = [
  { name: 'container', value: 'NAME', help: 'flags of a container that follow are about this one' },
  { name: 'args', value: 'WORDS', help: 'other arguments; empty for none' },
  { name: 'update-env-vars', value: 'KEY=VALUE', help: 'add or change variables' },
  { name: 'tasks', value: 'COUNT', help: 'so many tasks' },
  { name: 'task-timeout', value: 'DURATION', help: 'of an attempt' },
]

/** `run worker-pools deploy|update`. */
export const workerPoolFlags: readonly Flag[] = [
  ...templateFlags,
  { name: 'instances', value: 'COUNT', help: 'how many always run' },
  { name: 'scaling', value: 'COUNT', help: 'the same' },
  { name: 'revision-suffix', value: 'SUFFIX', help: 'the new revision is NAME-SUFFIX' },
  { name: 'description', value: 'TEXT', help: 'for people' },
]

/** Flags of gcloud that change nothing here that could be emulated. */
export const refusedFlags: readonly string[] = [
  'gpu', 'gpu-type', 'gpu-zonal-redundancy', 'no-gpu-zonal-redundancy', 'vpc-connector', 'clear-vpc-connector', 'vpc-egress', 'network', 'subnet',
  'network-tags', 'clear-network', 'clear-network-tags', 'binary-authorization', 'clear-binary-authorization', 'breakglass', 'key', 'clear-key',
  'encryption-key-shutdown-hours', 'clear-encryption-key-shutdown-hours', 'post-key-revocation-action-type',
  'clear-post-key-revocation-action-type', 'base-image', 'clear-base-image', 'automatic-updates', 'no-automatic-updates', 'function',
  'build-env-vars-file', 'set-build-env-vars', 'update-build-env-vars', 'remove-build-env-vars', 'clear-build-env-vars', 'build-service-account',
  'clear-build-service-account', 'build-worker-pool', 'clear-build-worker-pool', 'allow-unencrypted-build', 'no-allow-unencrypted-build',
  'namespace', 'cluster', 'cluster-location', 'kubeconfig', 'context', 'connectivity', 'mesh', 'iap', 'no-iap', 'threat-detection', 'domain',
  'regions', 'clear-regions', 'add-regions', 'remove-regions', 'local-build', 'no-build',
] // prettier-ignore

/** Flags that every gcloud command has, of which nothing here depends. */
export const refusedWideFlags: readonly string[] = [
  'account', 'billing-project', 'configuration', 'flags-file', 'impersonate-service-account', 'log-http', 'trace-token', 'access-token-file',
  'user-output-enabled', 'no-user-output-enabled',
] // prettier-ignore
