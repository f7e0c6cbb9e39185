import type { Context } from '../context.ts';
import { ApiError } from '../contract/errors.ts';
import { isReserved } from '../contract/names.ts';

/** The organizations that a call names before it is authenticated; null where it names none. */
export interface RequestedOrganization {
  /** The organization to act in: the path's, or the header's under the strategy `header`. */
  id: number | null;
  /** Under every strategy, a header that names another organization is refused. */
  headerId: number | null;
  /** The label before HOST_MAIN_DOMAIN, under the strategy `subdomain`. */
  subdomain: string | null;
}

export function requestedOrganization(ctx: Context, pathId: number | null): RequestedOrganization {
  const { request: call, ids, ports } = ctx;
  const { organizationId, tenantId } = call;
  if (organizationId !== undefined && tenantId !== undefined && organizationId !== tenantId)
    throw new ApiError('organization_mismatch');
  const header = organizationId ?? tenantId;
  const headerId = header === undefined ? null : readHeader(ids, header);
  if (pathId !== null && headerId !== null && pathId !== headerId) throw new ApiError('organization_mismatch');
  const { MULTI_TENANCY_STRATEGY: strategy, HOST_MAIN_DOMAIN: mainDomain } = ports.env;
  return {
    id: pathId ?? (strategy === 'header' ? headerId : null),
    headerId,
    subdomain: strategy === 'subdomain' ? subdomainOf(call.host, mainDomain!) : null,
  };
}

/** An invalid id, an unknown one and one that the caller may not see get the same answer, which names the header. */
export function organizationNotFound({ headerId }: RequestedOrganization): ApiError {
  return headerId === null ? new ApiError('not_found') : unseenInHeader();
}

function unseenInHeader(): ApiError {
  return new ApiError('not_found', { detail: 'Check `X-Organization-Id`: it names no organization that you can see.' });
}

function readHeader(ids: Context['ids'], text: string): number {
  try {
    return ids.decode('org', text);
  } catch {
    throw unseenInHeader();
  }
}

/**
 * The organization's label in a Host header; null for the main domain, for reserved names below it and for foreign
 * hosts.
 */
export function subdomainOf(host: string | undefined, mainDomain: string): string | null {
  const name = host?.toLowerCase().replace(/:\d+$/, '').replace(/\.$/, '') ?? '';
  if (!name.endsWith(`.${mainDomain}`)) return null;
  const label = name.slice(0, -mainDomain.length - 1);
  return isReserved(label) ? null : label;
}

/**
 * The organization that a call names; all ways of naming it must agree. `subdomainId` is the organization of the
 * subdomain.
 */
export function resolveOrganizationId(named: RequestedOrganization, subdomainId: number | null): number | null {
  if (named.subdomain !== null && subdomainId === null) throw new ApiError('not_found');
  const wanted = named.id ?? subdomainId;
  if (subdomainId !== null && wanted !== subdomainId) throw new ApiError('organization_mismatch');
  if (wanted !== null) assertHeader(named, wanted);
  return wanted;
}

export function assertHeader(named: RequestedOrganization, organizationId: number | undefined): void {
  if (named.headerId !== null && named.headerId !== organizationId) throw new ApiError('organization_mismatch');
}
