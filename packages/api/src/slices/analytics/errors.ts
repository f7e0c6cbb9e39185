import type { ErrorRows } from '../../contract/error-rows.ts';

export const errors = {
  time_range_unbounded: {
    status: 400,
    title: 'Time range without a beginning',
    meaning: 'The request does not say where the range begins, so it asks for everything there has ever been.',
    fix: 'Send the beginning (`errors` names the field), and the end where that is not now.',
    retry: 'no',
  },
  too_many_points: {
    status: 400,
    title: 'Too many points',
    meaning: 'The range has more hours or days than one answer holds.',
    fix: 'Ask for a shorter range or for `interval=day`, or download a report.',
    retry: 'no',
  },
  report_too_large: {
    status: 400,
    title: 'Report too large',
    meaning: 'The report would have more rows than fit into one file.',
    fix: 'Ask for a shorter range, for `interval=day`, or for another `groupBy`: a report has at most 1,000,000 rows.',
    retry: 'no',
  },
} as const satisfies ErrorRows;
