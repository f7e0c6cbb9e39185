import { z } from 'zod';

export const ProviderEventReceived = z
  .object({
    received: z.literal(true).meta({ description: 'It is stored, now or before; what follows from it comes later.' }),
  })
  .meta({ id: 'ProviderEventReceived', description: 'That an event of a provider of payments is stored.' });
export type ProviderEventReceived = z.infer<typeof ProviderEventReceived>;
