import type { Env } from '@rentapi/platform/env';
import type { z } from 'zod';
import type { ErrorCode } from './errors.ts';
import type { OrganizationPermission, PlatformPermission } from './permissions.ts';
import type { Tag } from './tags.ts';

/**
 * Who may call: everyone, a signed-in user, a user or a key, the holder of a permission, or the bearer of a proof
 * in the request itself (a refresh token, a mailed token, a ticket), which the service then checks.
 */
export type Access = 'public' | 'user' | 'userOrKey' | OrganizationPermission | PlatformPermission | Proof;

export type Proof = 'proof:refresh' | 'proof:mailed';

/** An own bucket of a procedure, beside those that every call pays into. */
export interface ProcedureLimit {
  name: string;
  /** Whose bucket: that of the address, of whoever calls, or one that all members and keys of the organization share. */
  by: 'source' | 'caller' | 'organization';
  size: (env: Env) => number;
  windowS: number;
}

export interface Alias {
  method?: Method;
  path: string;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Everything a surface needs to know of a procedure: REST, tRPC, the document, the SDK, limits, audit. */
export interface ProcedureMeta {
  access: Access;
  /** Also asks for a login not older than ten minutes, so never for an API key. */
  fresh?: true;
  /** Also in an organization that was deleted and can still be restored. */
  allowDeletedOrganization?: true;
  /** Asked by machines that watch the process: never limited, logged at `debug` only, and its query is ignored. */
  probe?: true;
  /** Its answer is a resource that several may change: it carries the version as `ETag`. */
  versioned?: true;
  /** Refusals are counted by their code, as a sign of guessing. */
  countRefusals?: true;
  openapi: {
    method: Method;
    /** Below `/api/v1`, unless it is about the process itself (`/health…`). `{name}` is a field of the input. */
    path: `/${string}`;
    tags: [Tag];
    summary: string;
    description?: string;
    /** Subscriptions have no REST form, so the document leaves them out. */
    enabled?: false;
  };
  rest?: {
    /** Success, where it is not 200; 204 goes with `Nothing`. */
    status?: 201 | 202 | 204;
    /** Other spellings that are served, marked deprecated and left out of the document. */
    aliases?: Alias[];
  };
  /** Codes of this procedure beyond those that its access and input imply. */
  errors?: ErrorCode[];
  limit?: ProcedureLimit;
  /** False: `Idempotency-Key` is ignored, because a repeat is harmless or must not be answered from memory. */
  idempotency?: false;
  /** Every mutation leaves an audit row; one that does not says why. */
  audit?: { none: string };
  /** Each event of a subscription, which has no output to declare: it has no end. Under its id where it has one. */
  yields?: z.ZodType;
  /** A request and its answer, for the document and for the tests generated from the router. */
  example: { input?: Record<string, unknown>; output?: unknown };
}

const PROCESS_PATHS = /^\/(health|metrics|status)(\/|$)/;

/** Where a procedure is served over REST. */
export function restPath(path: string): string {
  return PROCESS_PATHS.test(path) ? path : `/api/v1${path}`;
}
