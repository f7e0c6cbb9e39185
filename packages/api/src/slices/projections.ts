import type { Projections } from './billing/service/sync.ts';

/** What the slices make of objects that were read from a provider of payments. */
export const projections: Projections = {};
