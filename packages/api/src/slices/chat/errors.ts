import type { ErrorRows } from '../../contract/error-rows.ts';

export const errors = {
  not_your_message: {
    status: 403,
    title: "Another author's message",
    meaning: 'The message was written by another member or key.',
    fix: 'Change only messages of your own; deleting those of others needs the permission `members:remove`.',
    retry: 'no',
  },
} as const satisfies ErrorRows;
