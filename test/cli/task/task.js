const { CLOUD_RUN_TASK_INDEX: index, CLOUD_RUN_WORKER_POOL: pool, FAIL_AT: failAt, GREETING: greeting = 'hello' } = process.env
process.stdout.write(`${greeting} from ${pool ?? `task ${index}`}\n`)
if (pool !== undefined || process.env.FOREVER !== undefined) setInterval(() => {}, 1000)
if (index !== undefined && index === failAt) {
  process.stderr.write('this task cannot\n')
  process.exitCode = 7
}
