import type { ErrorRows } from '../../contract/error-rows.ts';

export const errors = {
  image_refused: {
    status: 422,
    title: 'Image refused',
    meaning: 'The file begins as an image does, but it has too many pixels, or cannot be decoded.',
    fix: 'Send an image that opens elsewhere, with fewer pixels.',
    retry: 'no',
  },
} as const satisfies ErrorRows;
