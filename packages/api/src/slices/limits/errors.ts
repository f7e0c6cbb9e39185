import type { ErrorRows } from '../../contract/error-rows.ts';

export const errors = {
  override_in_past: {
    status: 400,
    title: 'Override into the past',
    meaning: 'The `until` of the override is not in the future, so that it would never count.',
    fix: 'Send an `until` that is later than now; to end the present override, leave its numbers out.',
    retry: 'no',
  },
} as const satisfies ErrorRows;
