// Serves the bench page, the wasm package, onnxruntime-web and the models on this machine. Cross-origin isolated, because
// onnxruntime-web has threads only then.

import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'

const TYPES = { '.html': 'text/html', '.mjs': 'text/javascript', '.js': 'text/javascript', '.wasm': 'application/wasm', '.json': 'application/json' }

/** @param folders from the first part of a path to a folder; '' is the page's own. Gives the server's address. */
export async function serve(folders) {
  const server = createServer((request, response) => {
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin')
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp')
    const path = normalize(new URL(request.url, 'http://localhost').pathname).slice(1)
    const [first, ...rest] = path.split('/')
    const file = rest.length > 0 && folders[first] !== undefined ? join(folders[first], ...rest) : join(folders[''], path)
    if (!existsSync(file) || !statSync(file).isFile()) {
      response.statusCode = 404
      response.end()
      return
    }
    response.setHeader('Content-Type', TYPES[extname(file)] ?? 'application/octet-stream')
    response.setHeader('Content-Length', statSync(file).size)
    createReadStream(file).pipe(response)
  })
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() }
}
