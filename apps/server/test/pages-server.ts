import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventTypes, rawRoutes } from '@rentapi/api/slices/registry';
import { appRouter } from '@rentapi/api/slices/router';
import { type DescribedContract, describeContract } from '@rentapi/api/transports/describe-contract';
import express from 'express';
import { ASYNCAPI_FILE, OPENAPI_FILE } from '../src/files.ts';
import { type PagesOptions, pagesRouter } from '../src/pages/pages.ts';

const [openapi = '', asyncapi = ''] = [OPENAPI_FILE, ASYNCAPI_FILE].map((file) => readFileSync(file, 'utf8'));

export const contract: DescribedContract = describeContract(appRouter, rawRoutes, eventTypes);

/** With one operation of each method and one webhook: a reference draws them all, and they are alike. */
export function shortOpenapi(): string {
  const document = JSON.parse(openapi) as Record<'paths' | 'webhooks', Record<string, Record<string, unknown>>>;
  const drawn = new Set<string>();
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const method of Object.keys(operations)) {
      if (drawn.has(method)) delete operations[method];
      drawn.add(method);
    }
    if (Object.keys(operations).length === 0) delete document.paths[path];
  }
  document.webhooks = Object.fromEntries(Object.entries(document.webhooks).slice(0, 1));
  return JSON.stringify(document);
}

const noServer = (): never => {
  throw new Error('these pages have no server behind them');
};

/** The pages of the real contract, without the rest of the server. */
export async function startPages(options: Partial<PagesOptions> = {}, before: express.RequestHandler[] = []) {
  const app = express();
  app.use(...before, (_req, _res, next) => next());
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.keepAliveTimeout = 60_000; // making a document takes longer than Node keeps an idle connection
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  app.use(
    pagesRouter({
      openapi: () => openapi,
      asyncapi: () => asyncapi,
      contract: () => contract,
      mailbox: null,
      mailKinds: async () => [],
      production: false,
      version: '1.2.3',
      publicUrl: url,
      signInUrl: 'https://console.example.com',
      calls: { readForm: noServer, callerOf: noServer },
      jwks: () => [],
      demoAccount: { email: 'admin@example.com', password: "it's <secret>" },
      ...options,
    }),
  );
  app.use((_req, res) => {
    res.status(404).json({ code: 'not_found' });
  });
  return { url, close: () => server.close() };
}
