import type { Answer } from '../../../test/app.ts';
import type { SliceProofs } from '../../../test/proofs/slice-proofs.ts';

/** One red pixel. */
export const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC',
  'base64',
);

export const proofs: SliceProofs = {
  ownedIds: {
    avt: async ({ app, owner }) => {
      const form = new FormData();
      form.append('file', new Blob([new Uint8Array(PNG)]), 'me.png');
      const headers = { authorization: `Bearer ${owner.tokens.accessToken}` };
      const response = await fetch(`${app.url}/api/v1/users/me/avatar`, { method: 'POST', body: form, headers });
      const body: Answer['body'] = await response.json();
      return body.avatarUrl.split('/').at(-1)!;
    },
  },
};
