import type { ErrorRows } from '../../contract/error-rows.ts';

export const errors = {
  export_not_ready: {
    status: 409,
    title: 'Export not ready',
    meaning: 'The file is still being made.',
    fix: 'Wait for the mail that says it is ready, or ask again in some seconds.',
    retry: 'yes',
  },
} as const satisfies ErrorRows;
