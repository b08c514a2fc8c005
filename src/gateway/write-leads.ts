import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { writeWhole } from '../base/write-whole.ts'

/** The files of `writeLeads`. A program whose libraries ignore HTTPS_PROXY loads them by a variable. */
export interface Leads {
  /** The module that NODE_OPTIONS preloads. */
  readonly nodePath: string
  /** The folder for PYTHONPATH. */
  readonly pythonPath: string
}

export function writeLeads(directory: string): Leads {
  const leads = { nodePath: join(directory, 'devcloud-google.cjs'), pythonPath: join(directory, 'devcloud-python') }
  mkdirSync(leads.pythonPath, { recursive: true, mode: 0o700 })
  writeWhole(leads.nodePath, nodeLead, 0o600)
  writeWhole(join(leads.pythonPath, 'socks.py'), pythonSocks, 0o600)
  return leads
}

/**
 * A module for Node. An agent that a library makes itself, as google-gax does for `fallback`, reads no variable. The module sends the connections of every
 * agent to Google's names through the proxy. A call that cannot be led fails.
 */
const nodeLead = `'use strict'
// Written by devcloud. Connections of https.Agent to Google's names go by the proxy of \`devcloud env\`; nothing else is touched.
const proxy = URL.canParse(process.env.HTTPS_PROXY ?? '') ? new URL(process.env.HTTPS_PROXY) : undefined
if (proxy?.hostname === '127.0.0.1') {
  const http = require('node:http')
  const https = require('node:https')
  const tls = require('node:tls')
  const google = /(^|\\.)(googleapis\\.com|google\\.internal|run\\.app|pkg\\.dev|gcr\\.io|accounts\\.google\\.com|storage\\.cloud\\.google\\.com)\\.?$/i
  const createConnection = https.Agent.prototype.createConnection
  https.Agent.prototype.createConnection = function (...args) {
    const [options, done] = args
    const isLed = typeof options === 'object' && typeof done === 'function' && !options.socket && google.test(options.host ?? '')
    if (!isLed) return createConnection.apply(this, args)
    const path = options.host + ':' + (options.port || 443)
    const headers = { host: path }
    if (proxy.username !== '') headers['proxy-authorization'] = 'Basic ' + Buffer.from(proxy.username + ':' + proxy.password).toString('base64')
    const ask = http.request({ host: proxy.hostname, port: proxy.port, method: 'CONNECT', path, headers, agent: false })
    ask.once('error', done)
    ask.once('connect', (answer, socket) => {
      if (answer.statusCode === 200) return done(null, tls.connect({ ...options, socket, servername: options.servername || options.host }))
      socket.destroy()
      done(new Error('The proxy of devcloud answers ' + answer.statusCode + ' for ' + path + '.'))
    })
    ask.end()
    return undefined
  }
  // fetch looks at the proxy since 22.21 and 24.0: that of an older Node would reach the real Google
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < 24 && !(major === 22 && minor >= 21) && typeof globalThis.fetch === 'function') {
    const fetch = globalThis.fetch
    globalThis.fetch = async (input, init) => {
      const url = String(input?.url ?? input)
      if (!URL.canParse(url) || !google.test(new URL(url).hostname)) return fetch(input, init)
      const words = 'fetch of Node ' + process.versions.node + ' uses no proxy, so ' + new URL(url).hostname + ' would be the real one, not that of devcloud.'
      throw new TypeError(words + ' Use Node 22.21 or newer, or: eval "$(devcloud env --endpoints)"')
    }
  }
}
`

/** A module for Python. httplib2, the transport of googleapiclient, ignores HTTPS_PROXY without a word where PySocks is not installed. */
const pythonSocks = `"""Written by devcloud. httplib2 looks at HTTPS_PROXY only where PySocks is: that one where it is installed, else HTTP proxies alone."""

import base64
import importlib.machinery
import os
import socket
import sys

_here = os.path.dirname(os.path.abspath(__file__))
_found = importlib.machinery.PathFinder.find_spec("socks", [path for path in sys.path if os.path.abspath(path or ".") != _here])
if _found is not None and _found.loader is not None:
    _found.loader.exec_module(sys.modules[__name__])
else:
    PROXY_TYPE_SOCKS4 = SOCKS4 = 1
    PROXY_TYPE_SOCKS5 = SOCKS5 = 2
    PROXY_TYPE_HTTP = HTTP = 3
    PROXY_TYPE_HTTP_NO_TUNNEL = 4

    class ProxyError(IOError):
        socket_err = None

    class GeneralProxyError(ProxyError):
        pass

    class HTTPError(ProxyError):
        pass

    class socksocket(socket.socket):
        _proxy = None

        def set_proxy(self, proxy_type=None, addr=None, port=None, rdns=True, username=None, password=None, headers=None):
            if proxy_type not in (None, HTTP):
                raise GeneralProxyError("SOCKS proxies need PySocks: pip install PySocks")
            self._proxy = proxy_type and (addr, port or 8080, username, password)

        setproxy = set_proxy

        def connect(self, address):
            if not self._proxy:
                return super().connect(address)
            host, port, username, password = self._proxy
            super().connect((host, port))
            target = "%s:%d" % (address[0], address[1])
            head = "CONNECT %s HTTP/1.1\\r\\nHost: %s\\r\\n" % (target, target)
            if username:
                pair = "%s:%s" % (_text(username), _text(password or ""))
                head += "Proxy-Authorization: Basic %s\\r\\n" % base64.b64encode(pair.encode()).decode()
            self.sendall((head + "\\r\\n").encode())
            answer = b""
            while not answer.endswith(b"\\r\\n\\r\\n"):
                byte = self.recv(1)
                if not byte:
                    raise HTTPError("The proxy closed the connection to %s." % target)
                answer += byte
            if answer.split(b" ", 2)[1] != b"200":
                raise HTTPError("The proxy answers %s for %s." % (answer.split(b"\\r\\n")[0].decode("latin-1"), target))

    def _text(value):
        return value.decode() if isinstance(value, bytes) else value
`
