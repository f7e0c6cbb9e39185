import type { Env } from '@rentapi/platform/env';
import type { z } from 'zod';
import type { ErrorCode } from './errors.ts';
import type { OrganizationPermission, PlatformPermission } from './permissions.ts';
import type { Tag } from './tags.ts';

/**
 * Who may call: everyone, a signed-in user, a user or an API key, an actor with a permission, the user themselves, or a
 * client whose request contains a proof, which the service checks: a refresh token, a mailed token, a challenge or a
 * signature.
 */
export type Access = 'public' | 'user' | 'userOrKey' | OrganizationPermission | PlatformPermission | SelfOr | Proof;

/** The user whom the field `userId` names, or platform staff with the permission. */
export type SelfOr = `self:${PlatformPermission}`;

export type Proof = 'proof:refresh' | 'proof:mailed' | 'proof:challenge' | 'proof:passkey' | 'proof:signature';

/** A rate limit of one procedure, in addition to those of every call. */
export interface ProcedureLimit {
  name: string;
  /** Who shares the bucket: the client's network, the actor alone, or all members and keys of the organization. */
  by: 'source' | 'caller' | 'organization';
  size: (env: Env) => number;
  windowS: number;
  /** Of a source: in place of the limit of every anonymous call. */
  instead?: true;
}

/** A file that an operation takes, as the only field of a `multipart/form-data` body. */
export interface Upload {
  field: string;
  /** Media types, by content. */
  types: readonly string[];
  /** Types, sizes and refusals, from the constants that are enforced. */
  description: string;
}

export interface Alias {
  method?: Method;
  path: string;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** All that REST, tRPC, the document, the SDK, limits and audit need to know about a procedure. */
export interface ProcedureMeta {
  access: Access;
  /** Requires a login within the last ten minutes; an API key has none. */
  fresh?: true;
  /** Also works in a deleted organization that can still be restored. */
  allowDeletedOrganization?: true;
  /** A health check: not rate limited, logged at `debug` only, and its query is ignored. */
  probe?: true;
  /** The answer is a resource with a version, which is its `ETag`. */
  versioned?: true;
  /** Counts refusals by error code in the metrics, which shows attempts to guess. */
  countRefusals?: true;
  /**
   * Sets cookies, or reads them too, or binds a flow to the browser with one, whatever the input says. Only here do
   * browsers send cookies across origins. What sets the refresh token's takes `cookie` as input, or was promised it by
   * an earlier step of the same sign-in.
   */
  cookie?: 'sets' | 'reads' | 'binds';
  openapi: {
    method: Method;
    /** Below `/api/v1`, except for the process's own paths (`/health…`). `{name}` is a field of the input. */
    path: `/${string}`;
    tags: [Tag];
    summary: string;
    /** What a caller should know beyond the summary. What the call needs is added from `access`. */
    description: string;
    /** Subscriptions have no REST form, so the document leaves them out. */
    enabled?: false;
  };
  rest?: {
    /** The status of success where it is not 200. The output of a 204 is `NoContent`. */
    status?: 201 | 202 | 204;
    /** Deprecated paths and methods that are still served; the document leaves them out. */
    aliases?: Alias[];
  };
  /** Error codes in addition to those that follow from access and input (see `impliedErrors`). */
  errors?: ErrorCode[];
  /** How many credits of the organization a call spends, given back if it fails. */
  cost?: number;
  limit?: ProcedureLimit;
  /** The service takes the limits of a call with a key together with its own, in one call of Redis. */
  takesLimits?: true;
  /** Only of a raw route. */
  upload?: Upload;
  /**
   * Calls a provider between transactions of its own, so that it cannot run in one with its kept answer: a repeat of a
   * call that was cut off continues what that one began.
   */
  commitsItself?: true;
  /** False ignores `Idempotency-Key`: a repeat is harmless, or its answer must not be stored. */
  idempotency?: false;
  /** A repeat has its effect once by what it contains, so a client sends it again when its answer is lost. */
  repeatable?: true;
  /** Only for a mutation that writes no audit entry: the reason. */
  audit?: { none: string };
  /** The schema of each event of a subscription, which has no `output`. An event with an id is sent under that id. */
  yields?: z.ZodType;
  /** A request and its answer, for the document and for the tests generated from the router. */
  example: { input?: Record<string, unknown>; output?: unknown };
}

const PROCESS_PATHS = /^\/(health|metrics|status)(\/|$)/;

/** Where a procedure is served over REST. */
export function restPath(path: string): string {
  return PROCESS_PATHS.test(path) ? path : `/api/v1${path}`;
}
