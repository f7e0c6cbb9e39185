import { z } from 'zod';
import { EmailAddress } from '../users/schemas.ts';

export const ChangeEmail = z
  .strictObject({ email: EmailAddress })
  .meta({ id: 'ChangeEmail', description: 'The new address. It takes effect when the link mailed to it is opened.' });
export type ChangeEmail = z.output<typeof ChangeEmail>;

export const EmailChangeToken = z
  .strictObject({ token: z.string().min(1).max(200).meta({ description: 'From the `?token=` of the mailed link.' }) })
  .meta({ id: 'EmailChangeToken', description: 'The token of a mailed link.' });
