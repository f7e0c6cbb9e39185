import { auditExport } from './slices/audit/export.ts';
import { plainRequest } from './slices/realtime/plain-request.ts';
import type { RawRoute } from './wire/raw-route.ts';

/** Every operation that is not a procedure. */
export const rawRoutes: RawRoute[] = [plainRequest, auditExport];
