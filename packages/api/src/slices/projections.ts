import type { Projections } from './billing/service/sync.ts';
import { projectCustomer, projectMethod, projectSetup } from './payment-methods/service/project.ts';
import { projectCharge, projectDispute, projectRefund } from './payments/service/project.ts';

/** What the slices make of objects that were read from a provider of payments. */
export const projections: Projections = {
  setup: projectSetup,
  method: projectMethod,
  customer: projectCustomer,
  charge: projectCharge,
  refund: projectRefund,
  dispute: projectDispute,
};
