import type { ServiceImpl } from '@connectrpc/connect'
import type { SecretManagerService } from '../../api/gen/google/cloud/secretmanager/v1/service_pb.ts'

type Rpcs = Partial<ServiceImpl<typeof SecretManagerService>>

/** Tells listeners that the value of a secret may have changed. */
export interface Changes {
  onChange(listener: (secret: string) => void): Disposable
  /** Wraps RPCs: one that changes a secret tells the listeners after it has succeeded. */
  telling(rpcs: Rpcs): Rpcs
}

export function openChanges(): Changes {
  const listeners = new Set<(secret: string) => void>()
  const tell = (name: string) => {
    const secret = name.replace(/\/versions\/[^/]*$/, '')
    for (const listener of listeners) listener(secret)
  }
  const after =
    <Request, Context, Answer>(call: ((request: Request, context: Context) => Answer) | undefined, nameOf: (request: Request) => string) =>
    async (request: Request, context: Context): Promise<Awaited<Answer>> => {
      if (call === undefined) throw new Error('the RPC is not there')
      const answer = await call(request, context)
      tell(nameOf(request))
      return answer
    }
  return {
    onChange(listener) {
      listeners.add(listener)
      return { [Symbol.dispose]: () => void listeners.delete(listener) }
    },
    telling: (rpcs) => ({
      ...rpcs,
      addSecretVersion: after(rpcs.addSecretVersion, ({ parent }) => parent),
      enableSecretVersion: after(rpcs.enableSecretVersion, ({ name }) => name),
      disableSecretVersion: after(rpcs.disableSecretVersion, ({ name }) => name),
      destroySecretVersion: after(rpcs.destroySecretVersion, ({ name }) => name),
      updateSecret: after(rpcs.updateSecret, ({ secret }) => secret?.name ?? ''),
      deleteSecret: after(rpcs.deleteSecret, ({ name }) => name),
    }),
  }
}
