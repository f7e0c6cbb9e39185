import { router } from './procedure.ts';
import { apiKeys } from './slices/api-keys/router.ts';
import { auth } from './slices/auth/router.ts';
import { ws } from './slices/realtime/router.ts';
import { system } from './slices/system/router.ts';
import { users } from './slices/users/router.ts';

/** The contract: every procedure of the product. */
export const appRouter = router({ auth, users, apiKeys, ws, system });

export type AppRouter = typeof appRouter;
