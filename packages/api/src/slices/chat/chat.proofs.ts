import type { Caller, Fixture } from '../../../test/proofs/fixture.ts';
import { here } from '../../../test/proofs/scenes.ts';
import type { SliceProofs } from '../../../test/proofs/slice-proofs.ts';

async function message({ app, organizationId, inOrganization }: Fixture, caller?: Caller): Promise<string> {
  const { body } = await app.request(`/api/v1/organizations/${organizationId}/chat/messages`, {
    method: 'POST',
    body: { text: 'Hello' },
    headers: caller ?? inOrganization('OWNER'),
  });
  return body.id;
}

/** By a member about a message of the owner. */
const aboutTheOwners = async (fixture: Fixture, input: object = {}) => ({
  ...here(fixture, { messageId: await message(fixture), ...input }),
  caller: fixture.inOrganization('MEMBER'),
});

/** How the generated proofs call this slice's operations. */
export const proofs: SliceProofs = {
  ownedIds: { msg: message },
  failures: {
    'orgs.chat.edit': { not_your_message: (fixture) => aboutTheOwners(fixture, { text: 'Mine' }) },
    'orgs.chat.delete': { not_your_message: (fixture) => aboutTheOwners(fixture) },
  },
};
