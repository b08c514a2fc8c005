import { registerHooks } from 'node:module'

/** Brought along for ssh:// hosts and for BuildKit's sessions, neither of which is used here; they take 4 MB of heap. */
const unused = new Set(['ssh2', '@grpc/grpc-js', '@grpc/proto-loader'])

/** dockerode without its parts that nobody uses here: `require` of them gives a module of Node's own instead. */
export async function importDockerode(): Promise<typeof import('dockerode')> {
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      unused.has(specifier) && /\/node_modules\/(?:dockerode|docker-modem)\//.test(context.parentURL ?? '')
        ? { url: 'node:os', format: 'builtin', shortCircuit: true }
        : next(specifier, context),
  })
  try {
    const { default: Dockerode } = await import('dockerode')
    return Dockerode
  } finally {
    hooks.deregister()
  }
}
