import type { RawRoute } from '../wire/raw-route.ts';
import { auditExport } from './audit/raw.ts';
import { upgradeRequired } from './realtime/raw.ts';

/** Every operation that is not a procedure. */
export const rawRoutes: RawRoute[] = [upgradeRequired, auditExport];
