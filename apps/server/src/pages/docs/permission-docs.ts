import {
  ORGANIZATION_PERMISSIONS,
  ORGANIZATION_ROLES,
  type OrganizationPermission,
  PLATFORM_PERMISSIONS,
  PLATFORM_ROLE_PERMISSIONS,
  PLATFORM_ROLES,
} from '@rentapi/api/contract/permissions';
import { UpdateUser } from '@rentapi/api/slices/accounts/schemas';
import { Member } from '@rentapi/api/slices/members/schemas';
import { UpdateMe, User } from '@rentapi/api/slices/users/schemas';
import type { DescribedContract, DescribedOperation } from '@rentapi/api/transports/describe-contract';
import { type DocPage, paragraphs, table } from './doc-page.ts';

export function permissionPage({ operations, roles }: DescribedContract): DocPage {
  const permissions = Object.keys(ORGANIZATION_PERMISSIONS) as OrganizationPermission[];
  return {
    path: '/docs/permissions',
    title: 'Permissions',
    summary: 'Who may do what: each permission by role, and what each operation needs.',
    section: 'Permissions',
    kind: 'Permissions',
    found: 'by chapter',
    markdown: paragraphs(
      '# Permissions',
      'An operation needs one permission at most. A member has the permissions of their role in the organization, and those of ' +
        'the custom roles that were given to them. An API key has those of its scopes. [Permission denied](/docs/errors/permission_denied) ' +
        'is what all others get.',
      '## Roles of an organization',
      table(
        ['Permission', ...ORGANIZATION_ROLES, 'Operations'],
        permissions.map((permission) => [
          `\`${permission}\``,
          ...ORGANIZATION_ROLES.map((role) => mark(roles[role].includes(permission))),
          links(operations.filter(({ access }) => access === permission)),
        ]),
      ),
      'No custom role can contain `org:delete` or `org:transfer`: only owners have them.',
      '## Scopes of a key',
      'A scope is one permission (`api_keys:read`), all of a resource (`api_keys:*`), all that read (`read:*`), all that write ' +
        'and need no recent login (`write:*`), or all that a key can have (`*`).',
      table(
        ['Scope', 'Permissions'],
        (['read', 'write'] as const).map((kind) => [
          `\`${kind}:*\``,
          permissions
            .filter((permission) => ORGANIZATION_PERMISSIONS[permission] === kind)
            .map((permission) => `\`${permission}\``)
            .join(', '),
        ]),
      ),
      '## What each operation needs',
      table(
        ['Operation', 'Request', 'Needs'],
        operations.map(({ id, method, path, needs }) => [operationLink(id), `\`${method} ${path}\``, needs]),
      ),
      '## Fields of a person',
      'What operations show of a person, and what they let change, by right. The rest of an account is for its person and for ' +
        'platform staff: members of an organization do not see it, and cannot filter by it. The `role` of a `Member` is the one in the organization, ' +
        'that of a `User` the one on the platform.',
      table(
        ['Who', 'Sees', 'Changes'],
        [
          [
            'Members of the same organization, with `org:read`',
            `\`Member\`: ${names(Member.shape)}`,
            '`role`, with `members:update`; `roles`, with `roles:assign`',
          ],
          ['The person', `\`User\`: ${names(User.shape)}`, names(UpdateMe.shape)],
          [
            'Platform staff, with `users:read` and `users:update`',
            `\`User\`: ${names(User.shape)}`,
            names(UpdateUser.omit({ userId: true }).shape),
          ],
        ],
      ),
      '## Roles of the platform',
      'These belong to the people who run this server. No role of an organization and no key has one of them.',
      table(
        ['Permission', ...PLATFORM_ROLES],
        PLATFORM_PERMISSIONS.map((permission) => [
          `\`${permission}\``,
          ...PLATFORM_ROLES.map((role) => mark(PLATFORM_ROLE_PERMISSIONS[role].has(permission))),
        ]),
      ),
    ),
  };
}

const names = (fields: object): string =>
  Object.keys(fields)
    .map((name) => `\`${name}\``)
    .join(', ');
const mark = (has: boolean): string => (has ? 'yes' : '–');
const operationLink = (id: string): string => `[\`${id}\`](/docs/operations/${id})`;

function links(operations: readonly DescribedOperation[]): string {
  return operations.length === 0 ? '–' : operations.map(({ id }) => operationLink(id)).join(', ');
}
