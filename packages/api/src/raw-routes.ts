import { auditExport } from './slices/audit/export.ts';
import { plainRequest } from './slices/realtime/plain-request.ts';
import type { RawRoute } from './transports/raw.ts';

/** Every route that is not a procedure. */
export const rawRoutes: RawRoute[] = [plainRequest, auditExport as RawRoute]; // its input is parsed by its own schema before it is served
