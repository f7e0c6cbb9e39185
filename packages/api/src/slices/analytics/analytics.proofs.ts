import { byOwner } from '../../../test/proofs/scenes.ts';
import type { Failing, Failures, SliceProofs } from '../../../test/proofs/slice-proofs.ts';

const range = { from: '2026-01-01T00:00:00Z', to: '2026-01-08T00:00:00Z' };

const asking =
  (input: object): Failing =>
  async (fixture) =>
    byOwner(fixture, input);

const series: Failures = {
  unknown_time_zone: asking({ ...range, timeZone: 'Mars/Olympus' }),
  time_range_unbounded: asking({ to: range.to }),
  time_range_reversed: asking({ from: range.to, to: range.from }),
  time_range_too_long: asking({ ...range, from: '2024-01-01T00:00:00Z' }),
  too_many_points: asking({ ...range, from: '2025-11-01T00:00:00Z', interval: 'hour' }),
};

/** How the generated proofs call this slice's operations. */
export const proofs: SliceProofs = {
  scenarios: {
    // Calls of people are live: these numbers do not change while they are compared.
    'analytics.realtime': asking({ environment: 'test' }),
  },
  failures: { 'analytics.usage': series, 'analytics.errors': series },
};
