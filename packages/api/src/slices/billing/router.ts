import { NoInput } from '../../contract/common-schemas.ts';
import type { Tag } from '../../contract/tags.ts';
import { procedure, router } from '../../procedure.ts';
import {
  BillingFindingPage,
  BillingInfo,
  exampleBillingInfo,
  exampleFinding,
  ListFindings,
  SetBillingInfo,
} from './schemas.ts';
import { getBillingInfo, setBillingInfo } from './service/accounts.ts';
import { listFindings } from './service/findings.ts';

const tags: [Tag] = ['Billing'];
const { name, email, address, taxId } = exampleBillingInfo;

/** `billing.info`. */
export const info = router({
  get: procedure({
    access: 'billing:read',
    versioned: true,
    openapi: {
      method: 'GET',
      path: '/subscriptions/billing-info',
      tags,
      summary: 'Get who is billed',
      description: 'Name, address and tax id as invoices say them; null where nothing is known yet.',
    },
    example: { output: exampleBillingInfo },
  })
    .input(NoInput)
    .output(BillingInfo)
    .query(({ ctx }) => getBillingInfo(ctx)),

  set: procedure({
    access: 'billing:manage',
    versioned: true,
    openapi: {
      method: 'PUT',
      path: '/subscriptions/billing-info',
      tags,
      summary: 'Set who is billed',
      description:
        'Replaces all of it, for invoices from now on. A tax id of a member state of the European Union must have the form that VIES takes; whether it is valid is not asked.',
    },
    errors: ['tax_id_invalid', 'tax_id_needs_country', 'version_mismatch'],
    example: { input: { name, email, address, taxId }, output: exampleBillingInfo },
  })
    .input(SetBillingInfo)
    .output(BillingInfo)
    .mutation(({ ctx, input }) => setBillingInfo(ctx, input)),
});

/** Part of `admin.billing`. */
export const adminBilling = {
  findings: procedure({
    access: 'system:manage',
    openapi: {
      method: 'GET',
      path: '/admin/billing/findings',
      tags: ['Administration'],
      summary: 'List what providers of payments have and this server does not expect',
      description:
        'Newest first: objects that were made in a dashboard, objects of the other environment, and words that are not known. None of them is adopted.',
    },
    errors: ['invalid_cursor'],
    example: { input: { limit: 25 }, output: { items: [exampleFinding], nextCursor: null } },
  })
    .input(ListFindings)
    .output(BillingFindingPage)
    .query(({ ctx, input }) => listFindings(ctx, input)),
};
