import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { ApiRequest } from '../context.ts';
import { isLocal } from './local-only.ts';
import { observed } from './observed.ts';

const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;
const MAX_USER_AGENT = 500;

/** The address of a request's client as `parseAddress` writes it: limits and allow-lists compare this text. */
export type ClientAddress = (req: IncomingMessage) => string;

/** The caller's `X-Request-Id` if it is fit for a log, else a new one. */
export function requestIdOf(headers: IncomingHttpHeaders): string {
  const given = first(headers['x-request-id']);
  return given !== undefined && REQUEST_ID.test(given) ? given : randomUUID();
}

export function readRequest(req: IncomingMessage, requestId: string, ip: string, batched = false): ApiRequest {
  const { headers } = req;
  const seen = observed(req);
  seen.requestId = requestId;
  return {
    requestId,
    ip,
    userAgent: headers['user-agent']?.slice(0, MAX_USER_AGENT) ?? null,
    authorization: nonEmpty(headers.authorization),
    apiKey: nonEmpty(headers['x-api-key']),
    organizationId: nonEmpty(headers['x-organization-id']),
    tenantId: nonEmpty(headers['x-tenant-id']),
    host: headers.host,
    ifMatch: nonEmpty(headers['if-match']),
    ifNoneMatch: nonEmpty(headers['if-none-match']),
    idempotencyKey: first(headers['idempotency-key']),
    origin: headers.origin,
    batched,
    isLocal: () => isLocal(req),
    observed: seen,
    caller: seen.caller,
  };
}

/** Some clients send a header without a value for a value they do not have. */
function nonEmpty(header: string | string[] | undefined): string | undefined {
  return first(header) || undefined;
}

function first(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
