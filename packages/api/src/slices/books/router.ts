import { NoInput } from '../../contract/common-schemas.ts';
import { procedure } from '../../procedure.ts';
import { BillingBooks, exampleBooks } from './schemas.ts';
import { getBooks } from './service/books.ts';

/** `admin.billing.books`. */
export const books = procedure({
  access: 'system:manage',
  openapi: {
    method: 'GET',
    path: '/admin/billing/books',
    tags: ['Administration'],
    summary: 'Get whether the books balance',
    description:
      'What the check has found that goes over the credits and the money of all organizations: each minute over at most 6,000 of them for at most 5 seconds, and then from the beginning.',
  },
  example: { output: exampleBooks },
})
  .input(NoInput)
  .output(BillingBooks)
  .query(({ ctx }) => getBooks(ctx));
