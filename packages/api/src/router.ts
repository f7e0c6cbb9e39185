import { router } from './procedure.ts';
import { apiKeys } from './slices/api-keys/router.ts';
import { auditLogs } from './slices/audit/router.ts';
import { auth } from './slices/auth/router.ts';
import { invitations } from './slices/invitations/router.ts';
import { members, membership } from './slices/members/router.ts';
import { organizations } from './slices/organizations/router.ts';
import { permissions } from './slices/permissions/router.ts';
import { realtime, ws } from './slices/realtime/router.ts';
import { roles } from './slices/roles/router.ts';
import { system } from './slices/system/router.ts';
import { users } from './slices/users/router.ts';

/** The contract: every procedure of the product. */
export const appRouter = router({
  auth,
  users,
  apiKeys,
  orgs: router({ ...organizations, ...membership, members, invitations, auditLogs }),
  roles,
  permissions,
  ws,
  realtime,
  system,
});

export type AppRouter = typeof appRouter;
