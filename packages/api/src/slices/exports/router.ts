import { NoInput } from '../../contract/common-schemas.ts';
import { exampleId } from '../../contract/ids.ts';
import { procedure } from '../../procedure.ts';
import { DataExport } from './schemas.ts';
import { requestExport } from './service/request.ts';

/** Part of `users.me`. */
export const exportMe = procedure({
  access: 'user',
  fresh: true,
  openapi: {
    method: 'POST',
    path: '/users/me/export',
    tags: ['Users'],
    summary: 'Ask for a copy of your data',
    description:
      'Makes a ZIP archive of JSON files: profile, organizations, sessions, security events, keys without secrets, invitations, and what you did. A mail says when it is ready. Asking again meanwhile answers the same export with its progress.',
  },
  rest: { status: 202 },
  limit: { name: 'export', by: 'caller', size: () => 20, windowS: 86_400 },
  example: { output: { id: exampleId('exp'), status: 'PENDING', progress: 0 } },
})
  .input(NoInput)
  .output(DataExport)
  .mutation(({ ctx }) => requestExport(ctx));
