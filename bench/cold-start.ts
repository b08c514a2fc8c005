import http from 'node:http'
import Docker from 'dockerode'
import { eventually, givenRun, type GivenRun } from '../test/products/run/given-run.ts'
import { answersDocker } from './examples.ts'
import { median, rounded, spread, type BenchResult } from './result.ts'

const coldRounds = 7
const pausedRounds = 15

/**
 * The first request to a service at zero, beside `docker start` of a container that is made already, with the same options, and a request straight
 * to it; and the first request to a paused instance beside one straight to an instance that runs.
 */
export async function coldStart(tell: (text: string) => void): Promise<BenchResult> {
  if (!answersDocker()) {
    tell('no container engine answers: nothing is measured')
    return { ratios: {} }
  }
  await using run = await givenRun()
  await run.deploy('cold')
  await run.ask('cold', '/id')
  const docker = new Docker()
  const hand = await byHand(docker, instanceOf(run)?.id ?? '')
  try {
    const ours: number[] = []
    const theirs: number[] = []
    for (let round = 0; round < coldRounds; round += 1) {
      await toZero(run, docker)
      const turns = [
        async () => void ours.push(await milliseconds(() => run.ask('cold', '/id'))),
        async () => {
          theirs.push(await milliseconds(() => startAndAsk(hand)))
          await hand.kill({ signal: 'SIGKILL' })
          await hand.wait()
        },
      ]
      for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn()
    }
    tell(`from zero ${spread(ours, 0)} ms, docker start ${spread(theirs, 0)} ms`)
    const paused = await pausedTimes(run, docker)
    tell(`paused ${spread(paused.through, 1)} ms, straight to one that runs ${spread(paused.straight, 1)} ms`)
    return {
      ratios: { 'docker start': rounded(median(theirs) / median(ours)) },
      figures: { pausedExtraMs: rounded(median(paused.through) - median(paused.straight), 1), pausedGoalMs: 40 },
    }
  } finally {
    await hand.remove({ force: true })
  }
}

/** Until nothing of it is left that Docker would still be busy with. */
async function toZero(run: GivenRun, docker: Docker): Promise<void> {
  const container = docker.getContainer(instanceOf(run)?.id ?? '')
  await container.kill({ signal: 'SIGKILL' })
  await eventually('it is at zero, and gone', async () => {
    const isThere = await container.inspect().then(
      () => true,
      () => false,
    )
    return !isThere && run.house.catalog.run.serving(run.project)[0]?.instances.length === 0
  })
}

async function pausedTimes(
  run: GivenRun,
  docker: Docker,
): Promise<{ readonly through: readonly number[]; readonly straight: readonly number[] }> {
  const through: number[] = []
  const straight: number[] = []
  const container = docker.getContainer(instanceOf(run)?.id ?? '')
  for (let round = 0; round < pausedRounds; round += 1) {
    await run.ask('cold', '/id')
    const ip = ipOf(await container.inspect())
    straight.push(await milliseconds(() => get(ip)))
    await eventually('it is paused', async () => (await container.inspect()).State.Paused)
    through.push(await milliseconds(() => run.ask('cold', '/id')))
  }
  return { through, straight }
}

function instanceOf(run: GivenRun): { readonly id: string } | undefined {
  return run.house.catalog.run.serving(run.project)[0]?.instances.find(({ id }) => id !== '')
}

/** The same container once more, made and not started. */
async function byHand(docker: Docker, id: string): Promise<Docker.Container> {
  const { Config, HostConfig } = await docker.getContainer(id).inspect()
  const { Image, Env, Cmd, Entrypoint, WorkingDir } = Config
  return docker.createContainer({ Image, Env, Cmd, ...(Entrypoint !== null && { Entrypoint }), WorkingDir, HostConfig })
}

async function startAndAsk(container: Docker.Container): Promise<void> {
  await container.start()
  const ip = ipOf(await container.inspect())
  for (;;) {
    try {
      return await get(ip)
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
}

function ipOf({ NetworkSettings }: Docker.ContainerInspectInfo): string {
  return Object.values(NetworkSettings.Networks)[0]?.IPAddress ?? ''
}

function get(host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    http.get({ host, port: 8080, path: '/id', agent: false }, (response) => response.resume().once('end', resolve)).once('error', reject)
  })
}

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}
