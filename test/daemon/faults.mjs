// Loaded into a daemon by `NODE_OPTIONS=--import`: at SIGUSR2 it does the fault that the file `fault` of its state directory names.
import { readFileSync } from 'node:fs'
import http from 'node:http'
import { join } from 'node:path'

const kept = []
const faults = {
  /** An exception in a timer, in a rejected promise, in a listener, in a stream, in what an HTTP server calls. */
  timer: () => setTimeout(() => throwFault(), 0),
  promise: () => void Promise.reject(new Error('a fault of a test')),
  microtask: () => queueMicrotask(throwFault),
  immediate: () => setImmediate(throwFault),
  event: () => process.nextTick(() => process.emit('error', new Error('a fault of a test'))),
  server() {
    const server = http.createServer(throwFault).listen(0, '127.0.0.1', () => http.get({ port: server.address().port }))
  },
  /** Memory that is never given back, on the heap of V8. */
  leak() {
    for (;;) kept.push(Array.from({ length: 10_000 }, () => ({ fault: Math.random() })))
  },
  hold() {
    holdTheLoop(4000)
  },
}

function throwFault() {
  throw new Error('a fault of a test')
}

function holdTheLoop(ms) {
  const end = performance.now() + ms
  while (performance.now() < end);
}

process.on('SIGUSR2', () => faults[readFileSync(join(process.env.DEVCLOUD_STATE_DIR, 'fault'), 'utf8')]())
