import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const SDK = fileURLToPath(new URL('../../../sdk/client/', import.meta.url));
const ENTRY = `
  import { RentApi } from ${JSON.stringify(`${SDK}src/index.ts`)};
  import { rentapiLink } from ${JSON.stringify(`${SDK}src/trpc.ts`)};
  import { createTRPCClient } from ${JSON.stringify(`${SDK}node_modules/@trpc/client`)};
  Object.assign(globalThis, { RentApi, rentapiLink, createTRPCClient });
`;

/** The SDK and tRPC, as a bundler ships them to a web page: they become globals of the page. */
export async function bundleClients(): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: 'silent',
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === 'entry' ? '\0entry' : null),
        load: (id) => (id === '\0entry' ? ENTRY : null),
      },
    ],
    build: { write: false, rolldownOptions: { input: 'entry', output: { codeSplitting: false } } },
  });
  const [output] = [result].flat();
  if (!output || !('output' in output)) throw new Error('The bundler gave no output.');
  return output.output[0].code;
}

/** An empty page with this script, on an origin of its own. */
export async function serveScript(script: string) {
  const server = createServer((req, res) => {
    res.setHeader('Content-Type', req.url === '/page.js' ? 'text/javascript' : 'text/html; charset=utf-8');
    res.end(
      req.url === '/page.js'
        ? script
        : '<!doctype html><title>Page</title><script type="module" src="/page.js"></script>',
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  return { origin, close: () => server.close() };
}
