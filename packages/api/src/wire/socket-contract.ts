import type { z } from 'zod';
import type { OrganizationPermission } from '../contract/permissions.ts';

/**
 * What is said on a socket, declared beside it: the AsyncAPI document is made of it. Each message is a schema with an
 * id, a description and an example, named by its `action` or its `type`. Path, query and summary are those of the raw
 * route of the same name.
 */
export interface SocketContract {
  /** As logs, usage and the document call it. */
  name: string;
  access: 'userOrKey' | OrganizationPermission;
  /** What it is for. */
  description: string;
  /** What a client may send, with what answers it; null where nothing does. An `error` may answer each. */
  requests: readonly SocketRequest[];
  /** What the server sends by itself. */
  sends: readonly z.ZodType[];
  /** Whether it sends events of this type, each as an `EventMessage`. */
  carries: (event: string) => boolean;
}

interface SocketRequest {
  message: z.ZodType;
  reply: z.ZodType | null;
}
