import { randomUUID } from 'node:crypto';
import type { Person } from '../app.ts';
import type { Caller, Fixture } from './fixture.ts';
import type { Failing, Scenario } from './slice-proofs.ts';

/** Well-formed, and never issued. */
export const UNKNOWN_TOKEN = 'YW4gZXhhbXBsZSBvZiBhIG1haWxlZCB0b2tlbiAuIC4gLg';

export const anyEmail = (): string => `${randomUUID()}@example.com`;

/** By the owner, about the fixture's organization. */
export const here = (fixture: Fixture, input: object): Scenario => ({
  caller: fixture.inOrganization('OWNER'),
  input: { orgId: fixture.organizationId, ...input },
});

/** By the owner, in the fixture's organization. */
export const byOwner = (fixture: Fixture, input: object): Scenario => ({
  caller: fixture.inOrganization('OWNER'),
  input,
});

/** By the owner, about their personal organization. */
export const atHome = ({ owner, bearer }: Fixture, input: object = {}): Scenario => ({
  caller: bearer(owner),
  input: { orgId: owner.organizationId, ...input },
});

/** Without naming an organization. */
export const unscoped = (person: Person): Caller => ({ authorization: `Bearer ${person.tokens.accessToken}` });

/** A user who has one permission more than a viewer, and can grant no others. */
export const memberWithOnly =
  (permission: string): Failing =>
  async (fixture) => ({ caller: await fixture.viewerWith([permission], { inherited: true }), input: {} });
