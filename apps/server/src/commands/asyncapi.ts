import { eventTypes, rawRoutes, sockets } from '@rentapi/api/slices/registry';
import { buildAsyncApi } from '@rentapi/api/transports/asyncapi';
import { VERSION } from '../version.ts';
import type { Command } from './index.ts';

/** Needs neither settings nor a database: the contract is code. */
export const asyncapi: Command = async () => {
  const document = buildAsyncApi({ sockets, rawRoutes, eventTypes }, VERSION);
  await new Promise((done) => process.stdout.write(`${JSON.stringify(document, null, 2)}\n`, done));
  return 0;
};
