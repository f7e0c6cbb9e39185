import { execute, type Statement } from '@rentapi/platform/database';
import type { Tenancy } from '../../../data/tenant-model.ts';

const MAX_RECIPIENTS = 50;

interface Recipient {
  id: number;
  email: string;
  /** Whether they have one of the roles. */
  manages: boolean;
}

const RECIPIENTS: Statement = {
  name: 'recipients_of_organization',
  text: `
    select u.id, u.email, m.role = any($2) as manages
    from organization_members m join users u on u.id = m.user_id and u.status = 'ACTIVE'
    where m.organization_id = $1 and (m.role = any($2) or m.user_id = any($3))
    order by m.role = 'OWNER' desc, m.role = any($2) desc, u.id
    limit ${MAX_RECIPIENTS}`,
};

/** Whom to mail about an organization: members with one of these roles, and these others while they are members. */
export function recipientsOf(
  { db, organization }: Tenancy,
  roles: readonly ('OWNER' | 'ADMIN')[],
  others: readonly number[] = [],
): Promise<Recipient[]> {
  return execute<Recipient>(db, RECIPIENTS, [organization.id, roles, others]);
}
