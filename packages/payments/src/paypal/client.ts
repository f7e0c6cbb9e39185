import type { OrdersController, PaymentsController, VaultController } from '@paypal/paypal-server-sdk';
import { z } from 'zod';
import { ProviderError, type ProviderOutcome, retryAfterMs } from '../provider-error.ts';
import { NoAnswerError } from '../provider-fetch.ts';
import type { SendPayPal } from './transport.ts';

type Sdk = typeof import('@paypal/paypal-server-sdk');

export interface PayPalClient {
  sdk: Sdk;
  orders: OrdersController;
  payments: PaymentsController;
  vault: VaultController;
}

/** What we use of the request that the library builds for axios. */
interface AxiosRequest {
  url: string;
  method: string;
  headers: { toJSON(): Record<string, string> };
  data?: string;
  cancelToken?: { promise: Promise<unknown> };
}

export async function openPayPal(send: SendPayPal): Promise<PayPalClient> {
  const sdk = await import('@paypal/paypal-server-sdk');
  const client = new sdk.Client({
    environment: sdk.Environment.Sandbox, // a closed list; the adapter sends to the host of the configuration
    clientCredentialsAuthCredentials: {
      oAuthClientId: '',
      oAuthClientSecret: '',
      oAuthToken: { accessToken: 'placeholder', tokenType: 'Bearer' }, // without an end, so it is never renewed
    },
    unstable_httpClientOptions: { adapter: axiosAdapter(send) },
  });
  return {
    sdk,
    orders: new sdk.OrdersController(client),
    payments: new sdk.PaymentsController(client),
    vault: new sdk.VaultController(client),
  };
}

function axiosAdapter(send: SendPayPal) {
  return async (config: AxiosRequest) => {
    const { pathname, search } = new URL(config.url);
    const stop = new AbortController();
    void config.cancelToken?.promise.then(() => stop.abort());
    const headers = new Headers(config.headers.toJSON());
    headers.delete('authorization');
    const body = config.data;
    const method = config.method.toUpperCase();
    const init = { method, headers, signal: stop.signal, ...(body !== undefined && { body }) };
    const answer = await send(pathname + search, init);
    return {
      data: await answer.text(),
      status: answer.status,
      statusText: '',
      headers: Object.fromEntries(answer.headers),
      config,
      request: null,
    };
  };
}

/** The library's error for an answer that is not 2xx. Its `result` is missing for some statuses; the body is not. */
const Answered = z.object({
  statusCode: z.int(),
  body: z.unknown(),
  headers: z.record(z.string(), z.string()).catch({}),
});

const Problem = z.object({
  name: z.string().optional(),
  error: z.string().optional(),
  details: z.array(z.object({ issue: z.string().optional() })).optional(),
});

/** Runs a call of the library. Reading moves nothing, so a failed read is never `unknown`. */
export async function callPayPal<Result, Value>(
  kind: 'read' | 'write',
  call: () => Promise<{ result: Result }>,
  toValue: (result: Result) => Value,
): Promise<Value> {
  try {
    return toValue((await call()).result);
  } catch (error) {
    throw toProviderError(kind, error);
  }
}

/** Reads what the library does not have. */
export async function readPayPal<Schema extends z.ZodType, Value>(
  send: SendPayPal,
  { path, schema, init = {} }: { path: string; schema: Schema; init?: RequestInit },
  toValue: (answer: z.output<Schema>) => Value,
): Promise<Value> {
  try {
    const answer = await send(path, init);
    const body = await answer.text();
    if (!answer.ok) throw answered('read', answer.status, body, answer.headers.get('retry-after'));
    return toValue(schema.parse(JSON.parse(body)));
  } catch (error) {
    throw toProviderError('read', error);
  }
}

function toProviderError(kind: 'read' | 'write', error: unknown): ProviderError {
  if (error instanceof ProviderError) return error;
  const lost: ProviderOutcome = kind === 'read' ? 'unavailable' : 'unknown';
  if (error instanceof NoAnswerError) {
    return new ProviderError('paypal', error.wasSent ? lost : 'unavailable', error.reason);
  }
  const { success, data } = Answered.safeParse(error);
  // An answer of an unexpected shape is thrown after the money has moved, with status 200.
  if (!success || data.statusCode < 300) return new ProviderError('paypal', lost, 'answer_not_readable');
  return answered(kind, data.statusCode, data.body, data.headers['retry-after']);
}

function answered(
  kind: 'read' | 'write',
  status: number,
  body: unknown,
  retryAfter: string | null | undefined,
): ProviderError {
  const code = issueOf(body) ?? `http_${status}`;
  if (status >= 500) return new ProviderError('paypal', kind === 'read' ? 'unavailable' : 'unknown', code);
  if (status === 429) return new ProviderError('paypal', 'unavailable', 'rate_limited', retryAfterMs(retryAfter));
  // The operator's to repair, and nothing has moved.
  if (status === 401 || status === 403) return new ProviderError('paypal', 'unavailable', code);
  return new ProviderError('paypal', 'refused', status === 404 ? 'not_found' : code);
}

function issueOf(body: unknown): string | null {
  const { success, data } = Problem.safeParse(typeof body === 'string' ? parsed(body) : body);
  return success ? (data.details?.[0]?.issue ?? data.name ?? data.error ?? null) : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
