import { eventTypes, rawRoutes } from '@rentapi/api/slices/registry';
import { appRouter } from '@rentapi/api/slices/router';
import { buildOpenApi } from '@rentapi/api/transports/openapi';
import { VERSION } from '../version.ts';
import type { Command } from './index.ts';

/** Needs neither settings nor a database: the contract is code. */
export const openapi: Command = async () => {
  const document = buildOpenApi({ router: appRouter, rawRoutes, eventTypes }, VERSION);
  await new Promise((done) => process.stdout.write(`${JSON.stringify(document, null, 2)}\n`, done));
  return 0;
};
