import { z } from 'zod';

/** A setting in decimal digits: `Number` reads blanks as 0, and `1e3` and `0x10` as numbers. */
export const whole = (min: number, max: number) => {
  const error = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d+$/, { error, abort: true })
    .transform(Number)
    .pipe(z.number().min(min, error).max(max, error));
};
