import type { AnyRouter } from '@trpc/server';
import type { ErrorRow, Retry } from '../contract/error-rows.ts';
import type { ErrorCode } from '../contract/errors.ts';
import { type Access, type Method, type ProcedureMeta, restPath } from '../contract/meta.ts';
import {
  isOrganizationPermission,
  ORGANIZATION_ROLES,
  type OrganizationPermission,
  type OrganizationRole,
  ROLE_PERMISSIONS,
} from '../contract/permissions.ts';
import type { Tag } from '../contract/tags.ts';
import { type DescribedEvent, describeEvents } from '../events/catalogue.ts';
import type { EventType } from '../events/event.ts';
import { ERRORS } from '../slices/errors.ts';
import type { RawRoute } from '../wire/raw-route.ts';
import { type CodeSamples, codeSamples } from './code-samples.ts';
import { acceptsApiKeys, describeAccess, errorsOf, needsCredential } from './implied-errors.ts';
import { operationsOf } from './rest-routes.ts';

export interface DescribedOperation {
  /** `apiKeys.create`: its name in the SDK, in tRPC and in logs. */
  id: string;
  method: Method;
  /** `/api/v1/api-keys/{keyId}` */
  path: string;
  summary: string;
  description: string | undefined;
  tag: Tag;
  access: Access;
  /** `access` as a sentence. */
  needs: string;
  /** The permission, and so the scope of a key; null where none is needed. */
  scope: OrganizationPermission | null;
  /** Which credentials can call it; none where none is needed. */
  credentials: ('user' | 'key')[];
  /** Needs a login within the last ten minutes. */
  fresh: boolean;
  status: number;
  errors: ErrorCode[];
  example: ProcedureMeta['example'];
  samples: CodeSamples;
}

export interface DescribedError {
  code: ErrorCode;
  status: number;
  title: string;
  meaning: string;
  fix: string;
  retry: Retry;
  /** What `@rentapi/sdk` throws. */
  sdkClass: string;
  /** Ids of the operations that answer it. */
  operations: string[];
}

export interface DescribedContract {
  operations: DescribedOperation[];
  events: readonly DescribedEvent[];
  errors: DescribedError[];
  /** What each organization role may do. */
  roles: Record<OrganizationRole, OrganizationPermission[]>;
}

/** The contract as plain data, for pages and documents. */
export function describeContract(
  router: AnyRouter,
  rawRoutes: readonly RawRoute[],
  eventTypes: ReadonlyMap<string, EventType>,
): DescribedContract {
  const operations = describeOperations(router, rawRoutes);
  return {
    operations,
    events: describeEvents(eventTypes),
    errors: describeErrors(operations),
    roles: rolesWithPermissions(),
  };
}

function describeOperations(router: AnyRouter, rawRoutes: readonly RawRoute[]): DescribedOperation[] {
  return operationsOf(router, rawRoutes)
    .filter(({ meta }) => meta.openapi.enabled !== false)
    .map((operation) => {
      const { name, meta, type } = operation;
      const { method, path, summary, description, tags } = meta.openapi;
      return {
        id: name,
        method,
        path: restPath(path),
        summary,
        description,
        tag: tags[0],
        access: meta.access,
        needs: describeAccess(meta),
        scope: isOrganizationPermission(meta.access) ? meta.access : null,
        credentials: credentialsOf(meta),
        fresh: meta.fresh === true,
        status: meta.rest?.status ?? 200,
        errors: errorsOf(meta, type),
        example: meta.example,
        samples: codeSamples(operation),
      };
    });
}

function credentialsOf(meta: ProcedureMeta): DescribedOperation['credentials'] {
  if (!needsCredential(meta)) return [];
  return acceptsApiKeys(meta) ? ['user', 'key'] : ['user'];
}

function describeErrors(operations: readonly DescribedOperation[]): DescribedError[] {
  const rows = Object.entries(ERRORS) as [ErrorCode, ErrorRow][];
  return rows.map(([code, { status, title, meaning, fix, retry }]) => ({
    code,
    status,
    title,
    meaning,
    fix,
    retry,
    sdkClass: SDK_CLASSES[status] ?? (status >= 500 ? 'ServerError' : 'RentApiError'),
    operations: operations.filter(({ errors }) => errors.includes(code)).map(({ id }) => id),
  }));
}

/** As `sdk/client/src/errors.ts` has them. */
const SDK_CLASSES: Record<number, string> = {
  400: 'BadRequestError',
  401: 'AuthenticationError',
  402: 'PaymentRequiredError',
  403: 'PermissionDeniedError',
  404: 'NotFoundError',
  409: 'ConflictError',
  412: 'PreconditionFailedError',
  422: 'UnprocessableError',
  429: 'RateLimitError',
};

function rolesWithPermissions(): DescribedContract['roles'] {
  const entries = ORGANIZATION_ROLES.map((role) => [role, [...ROLE_PERMISSIONS[role]]] as const);
  return Object.fromEntries(entries) as DescribedContract['roles'];
}
