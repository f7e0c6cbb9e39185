import { NoInput } from '../../contract/common-schemas.ts';
import { procedure, router } from '../../procedure.ts';
import { Entitlements, exampleEntitlements, exampleOverride, GetLimits, LimitOverrides, SetLimits } from './schemas.ts';
import { getEntitlements } from './service/entitlements.ts';
import { getLimits, setLimits } from './service/overrides.ts';

const orgId = exampleOverride.organizationId;
const examplePage: LimitOverrides = { plan: 'BASIC', items: [exampleOverride], nextCursor: null };

/** Part of `billing`. */
export const entitlements = procedure({
  access: 'userOrKey',
  openapi: {
    method: 'GET',
    path: '/entitlements',
    tags: ['Billing'],
    summary: 'Get what you may use, and why',
    description:
      'The plan of the current organization, with its features, scopes, limits and costs, and what decided each limit: the plan, an override by staff, the key itself or a setting of the deployment. `caps` are the same for every plan.',
  },
  example: { output: exampleEntitlements },
})
  .input(NoInput)
  .output(Entitlements)
  .query(({ ctx }) => getEntitlements(ctx));

/** `admin.orgs.limits`. */
export const organizationLimits = router({
  get: procedure({
    access: 'system:manage',
    openapi: {
      method: 'GET',
      path: '/admin/organizations/{orgId}/limits',
      tags: ['Administration'],
      summary: 'List the overrides of limits of an organization',
      description: 'Those that count now, with the reason and the end of each. Earlier ones are in its audit log.',
    },
    errors: ['not_found'],
    example: { input: { orgId }, output: examplePage },
  })
    .input(GetLimits)
    .output(LimitOverrides)
    .query(({ ctx, input }) => getLimits(ctx, input.orgId)),

  set: procedure({
    access: 'system:manage',
    openapi: {
      method: 'PUT',
      path: '/admin/organizations/{orgId}/limits',
      tags: ['Administration'],
      summary: 'Override the limits of an organization or a key',
      description:
        'In every process within a second, until `until`. It replaces the present override of the organization, or of the key that `keyId` names; without any number it ends that one. The organization sees it in its audit log and as an event.',
    },
    errors: ['not_found', 'override_in_past', 'limit_reached'],
    example: {
      input: { orgId, perHour: 5000, reason: exampleOverride.reason, until: exampleOverride.until },
      output: examplePage,
    },
  })
    .input(SetLimits)
    .output(LimitOverrides)
    .mutation(({ ctx, input }) => setLimits(ctx, input)),
});
