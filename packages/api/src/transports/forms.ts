import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AnyRouter } from '@trpc/server';
import { createContext, type Ports } from '../context.ts';
import { ApiError } from '../contract/errors.ts';
import { readForm } from '../wire/body.ts';
import { type ClientAddress, readRequest, requestIdOf } from '../wire/request.ts';
import { createInvoke } from './invoke.ts';
import { abortedWith } from './rest.ts';

/** What a browser without scripts sent from one of our pages. */
export interface SubmittedForm {
  fields: URLSearchParams;
  /** Calls a mutation as REST does: limits, access and the log see the browser. */
  call(procedure: string, input: object, accessToken?: string): Promise<unknown>;
}

export type ReadForm = (req: IncomingMessage, res: ServerResponse) => Promise<SubmittedForm>;

interface FormOptions {
  router: AnyRouter;
  ports: Ports;
  clientAddress: ClientAddress;
}

/** Forms have few and short fields. */
const MAX_FORM_BYTES = 16_384;

export function createFormReader({ router, ports, clientAddress }: FormOptions): ReadForm {
  const invoke = createInvoke(router);
  return async (req, res) => {
    assertOwnPage(req, ports);
    const request = readRequest(req, requestIdOf(req.headers), clientAddress(req));
    return {
      fields: await readForm(req, { limitBytes: MAX_FORM_BYTES, unfinished: ports.bodies }),
      call: (path, input, accessToken) =>
        invoke({
          path,
          type: 'mutation',
          ctx: createContext(ports, { ...request, authorization: accessToken && `Bearer ${accessToken}` }),
          getRawInput: async () => input,
          getSignal: () => abortedWith(res),
          batchIndex: 0,
        }),
    };
  };
}

/**
 * Without a preflight, any page can send a form: other sites could guess and cause mails from the addresses of their
 * visitors. Our pages send no referrer, which makes the `Origin` of their forms `null`.
 */
function assertOwnPage({ headers }: IncomingMessage, { origins }: Ports): void {
  const { origin, 'sec-fetch-site': site } = headers;
  const isOwn = site === undefined ? origin === undefined || origins.isNamed(origin) : site === 'same-origin';
  if (isOwn) return;
  throw new ApiError('origin_not_allowed', { detail: 'Open the link in the mail, and send the form of its page.' });
}
