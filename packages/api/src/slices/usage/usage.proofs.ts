import { here } from '../../../test/proofs/scenes.ts';
import type { Failing, SliceProofs } from '../../../test/proofs/slice-proofs.ts';

const ofKey =
  (input: object): Failing =>
  async ({ key }) => {
    const { id, caller } = await key(['api_keys:read']);
    return { caller, input: { keyId: id, ...input } };
  };

const ofOrganization =
  (input: object): Failing =>
  async ({ inOrganization, organizationId }) => ({
    caller: inOrganization('VIEWER'),
    input: { orgId: organizationId, ...input },
  });

const REVERSED = { from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z' };
const LONG = { from: '2020-01-01T00:00:00Z' };

/** How the generated proofs call this slice's operations. */
export const proofs: SliceProofs = {
  scenarios: {
    // What was called a moment ago is counted while answers are compared: nothing was in this period.
    'orgs.usage': async (fixture) => here(fixture, { from: '2026-01-01T00:00:00Z', to: '2026-01-08T00:00:00Z' }),
  },
  failures: {
    'apiKeys.usage': {
      time_range_reversed: ofKey(REVERSED),
      time_range_too_long: ofKey(LONG),
      unknown_time_zone: ofKey({ timeZone: 'Europe/Atlantis' }),
    },
    'orgs.usage': {
      time_range_reversed: ofOrganization(REVERSED),
      time_range_too_long: ofOrganization(LONG),
    },
  },
};
