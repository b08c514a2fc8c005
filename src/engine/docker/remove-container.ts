import type Docker from 'dockerode'
import { ask, orAbsent, statusOf } from './ask.ts'

/** Kills a container and removes it with its anonymous volumes. When somebody else is removing the container, waits until it is gone. */
export async function removeContainer(container: Docker.Container, signal: AbortSignal): Promise<void> {
  try {
    await orAbsent(ask(container.remove({ force: true, v: true }), signal))
  } catch (error) {
    if (statusOf(error) !== 409) throw error // "removal of container ... is already in progress"
    await orAbsent(ask(container.wait({ condition: 'removed' }), signal))
  }
}
