import type { Container } from '../../../api/gen/google/cloud/run/v2/k8s.min_pb.ts'
import { invalid } from '../invalid.ts'

const mostBytes = 32_768

/**
 * What a container of any kind may say of its variables, limits and ports. Sources: the comments of google/cloud/run/v2/k8s.min.proto; cloud.google.com/run,
 * "Configure environment variables", "Known limits".
 * @param field where it stands, for messages: `template.containers[0]`
 * @throws CloudError INVALID_ARGUMENT
 */
export function checkContainerValues(container: Container, field: string): void {
  for (const [index, { name, values }] of container.env.entries()) {
    const place = `${field}.env[${index}]`
    if (name === '' || /[=\0]/.test(name) || Buffer.byteLength(name) > mostBytes)
      throw invalid(`${place}.name: "${name.slice(0, 100)}" must not be empty and must not contain '='.`)
    if (values.case === 'value' && (values.value.includes('\0') || Buffer.byteLength(values.value) > mostBytes))
      throw invalid(`${place}.value: must have at most ${mostBytes} bytes and no NUL.`)
    if (values.case !== 'valueSource') continue
    const { secret = '', version = '' } = values.value.secretKeyRef ?? {}
    if (!/^(projects\/[^/]+\/secrets\/)?[\w-]{1,255}$/.test(secret))
      throw invalid(`${place}.value_source.secret_key_ref.secret: "${secret}" is no secret's name.`)
    if (!/^[\w-]{0,63}$/.test(version)) throw invalid(`${place}.value_source.secret_key_ref.version: "${version}" is no version.`)
  }
  for (const key of Object.keys(container.resources?.limits ?? {})) {
    if (key !== 'cpu' && key !== 'memory' && key !== 'nvidia.com/gpu')
      throw invalid(`${field}.resources.limits: "${key}" is not supported: only cpu, memory and nvidia.com/gpu are.`)
  }
  for (const { name } of container.ports)
    if (!['', 'http1', 'h2c'].includes(name)) throw invalid(`${field}.ports.name: "${name}" is not supported: only http1 and h2c are.`)
  const bad = [...container.command, ...container.args, container.workingDir].find((word) => word.includes('\0'))
  if (bad !== undefined) throw invalid(`${field}: command, args and working_dir must not contain NUL.`)
  if (container.workingDir !== '' && !container.workingDir.startsWith('/')) throw invalid(`${field}.working_dir: must be an absolute path.`)
}
