import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Storage } from '@google-cloud/storage'
import { openDatabase } from './database.ts'
import { page, type Entry } from './page.ts'
import { readSettings } from './settings.ts'

const largestUploadBytes = 10 << 20

const database = openDatabase()
const settings = await readSettings()
const bucket = new Storage().bucket(process.env['BUCKET'] ?? '')

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    console.error(JSON.stringify({ severity: 'ERROR', message: error instanceof Error ? error.stack : String(error) }))
    if (!response.headersSent) response.writeHead(500)
    response.end('Something went wrong.')
  })
})
server.listen(Number(process.env['PORT'] ?? 8080), () => console.log(JSON.stringify({ severity: 'INFO', message: 'The guestbook is open.' })))
process.on('SIGTERM', () => server.close(() => void database.end()))

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://host')
  if (request.method === 'GET' && pathname === '/') return showEntries(response)
  if (request.method === 'POST' && pathname === '/entries') return addEntry(request, response)
  if (request.method === 'GET' && pathname.startsWith('/pictures/')) return showPicture(decodeURIComponent(pathname.slice(10)), response)
  response.writeHead(404, { 'content-type': 'text/plain' }).end('There is no such page.')
}

async function showEntries(response: ServerResponse): Promise<void> {
  const { rows } = await database.query<Entry>('SELECT name, message, picture, written_at FROM entries ORDER BY id DESC LIMIT 50')
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page(settings, rows, '/pictures/'))
}

async function addEntry(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (Number(request.headers['content-length'] ?? 0) > largestUploadBytes) {
    response.writeHead(413, { connection: 'close' }).end('The picture is too large.')
    return
  }
  const body = Readable.toWeb(request) as ReadableStream
  const form = await new Request('http://host', { method: 'POST', headers: request.headers as HeadersInit, body, duplex: 'half' }).formData()
  const file = form.get('picture')
  const picture = file instanceof File && file.size > 0 ? await savePicture(file) : null
  await database.query('INSERT INTO entries (name, message, picture) VALUES ($1, $2, $3)', [form.get('name'), form.get('message'), picture])
  response.writeHead(303, { location: `https://${request.headers.host}/` }).end()
}

async function savePicture(file: File): Promise<string> {
  const name = `${randomUUID()}-${file.name}`
  const target = bucket.file(name).createWriteStream({ contentType: file.type, resumable: file.size > 1 << 20 })
  await pipeline(Readable.fromWeb(file.stream() as never), target)
  return name
}

async function showPicture(name: string, response: ServerResponse): Promise<void> {
  const [metadata] = await bucket.file(name).getMetadata()
  response.writeHead(200, { 'content-type': metadata.contentType ?? 'application/octet-stream', 'x-content-type-options': 'nosniff' })
  await pipeline(bucket.file(name).createReadStream(), response)
}
