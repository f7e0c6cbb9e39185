import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';
import { type Context, createContext, type OrganizationContext, type Ports } from '../context.ts';
import { ApiError } from '../contract/errors.ts';
import { type ProcedureMeta, restPath } from '../contract/meta.ts';
import { toApiError, toProblem } from '../contract/problem.ts';
import { admit } from '../pipeline/admit.ts';
import { type ClientAddress, readCall, requestIdOf } from './call.ts';
import { assertText } from './json.ts';
import { sendProblem } from './rest.ts';

/** What is more than a JSON answer: a download, a stream. Who may call it is judged as for every procedure. */
export interface RawRoute<Input extends z.ZodType = z.ZodType> {
  meta: ProcedureMeta & { openapi: { method: 'GET' } };
  input: Input;
  serve(ctx: OrganizationContext, input: z.output<Input>, res: ServerResponse): Promise<void>;
}

/** Answers what is a raw route, and says whether it was one. */
export function createRawHandler(options: {
  routes: readonly RawRoute[];
  ports: Ports;
  clientAddress: ClientAddress;
}): (req: IncomingMessage, res: ServerResponse) => boolean {
  const { ports, clientAddress } = options;
  const routes = options.routes.map((route) => ({ route, pattern: patternOf(restPath(route.meta.openapi.path)) }));

  return (req, res) => {
    const [pathname = '', search = ''] = (req.url ?? '').split('?', 2);
    for (const { route, pattern } of routes) {
      const found = req.method === route.meta.openapi.method && pattern.exec(pathname);
      if (!found) continue;
      void answer(route, { ...found.groups }, search, req, res);
      return true;
    }
    return false;
  };

  async function answer(
    { meta, input: schema, serve }: RawRoute,
    params: Record<string, string>,
    search: string,
    req: IncomingMessage,
    res: ServerResponse,
  ): Promise<void> {
    const ctx: Context = createContext(ports, readCall(req, requestIdOf(req.headers), clientAddress(req)));
    try {
      const input = readInput(params, search);
      const admitted = await admit(ctx, meta, async () => input);
      // A route's permission is an organization's, so `admit` has made sure of one.
      await serve(admitted as OrganizationContext, schema.parse(input), res);
    } catch (error) {
      const problem = toProblem(error, ctx.call.requestId);
      const known = toApiError(error);
      if (problem.status >= 500)
        ports.log.error({ err: known.cause ?? error, requestId: ctx.call.requestId }, 'request failed');
      sendProblem(req, res, ctx.reply, problem, known.retryAfterS);
    }
  }
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}/?$`);
}

function readInput(params: Record<string, string>, search: string): Record<string, string> {
  const input = { ...params };
  for (const [name, text] of new URLSearchParams(search)) {
    assertText(text, name);
    if (Object.hasOwn(input, name))
      throw new ApiError('invalid_input', { errors: [{ path: name, message: 'is given twice' }] });
    input[name] = text;
  }
  return input;
}
