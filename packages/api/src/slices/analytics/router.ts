import type { ErrorCode } from '../../contract/errors.ts';
import type { Tag } from '../../contract/tags.ts';
import { procedure, router } from '../../procedure.ts';
import {
  AnalyticsQuery,
  ErrorAnalytics,
  exampleErrors,
  exampleQuery,
  exampleRealTime,
  exampleUsage,
  GetRealTime,
  RealTimeAnalytics,
  UsageAnalytics,
} from './schemas.ts';
import { getErrors, getUsage } from './service/get-usage.ts';
import { getRealTime } from './service/real-time.ts';

const tags: [Tag] = ['Analytics'];
const errors: ErrorCode[] = [
  'unknown_time_zone',
  'time_range_unbounded',
  'time_range_reversed',
  'time_range_too_long',
  'too_many_points',
];

export const analytics = router({
  usage: procedure({
    access: 'analytics:read',
    openapi: {
      method: 'GET',
      path: '/analytics/usage',
      tags,
      summary: 'Get calls over time',
      description:
        'How many calls there were, how often they failed and how long they took, for each hour or day of a time zone and by key, procedure or status. Percentiles are within 1 % of the exact ones. Calls are counted a second after they end. For every group and more points, download a report.',
    },
    errors,
    example: { input: exampleQuery, output: exampleUsage },
  })
    .input(AnalyticsQuery)
    .output(UsageAnalytics)
    .query(({ ctx, input }) => getUsage(ctx, input)),
  errors: procedure({
    access: 'analytics:read',
    openapi: {
      method: 'GET',
      path: '/analytics/errors',
      tags,
      summary: 'Get failed calls over time',
      description:
        'How often calls failed through a fault of the caller (a status of 400 to 499) and of the server (500 and above), for each hour or day; the groups with the most errors first.',
    },
    errors,
    example: { input: exampleQuery, output: exampleErrors },
  })
    .input(AnalyticsQuery)
    .output(ErrorAnalytics)
    .query(({ ctx, input }) => getErrors(ctx, input)),
  realtime: procedure({
    access: 'analytics:read',
    openapi: {
      method: 'GET',
      path: '/analytics/real-time',
      tags,
      summary: 'Get the calls of the last minutes',
      description:
        'Counted while calls happen, by all processes together; those of other processes are included a second later. The socket `/api/v1/ws/analytics` sends the same numbers of the last 60 seconds once a second.',
    },
    example: { input: { minutes: 5, environment: 'live' }, output: exampleRealTime },
  })
    .input(GetRealTime)
    .output(RealTimeAnalytics)
    .query(({ ctx, input }) => getRealTime(ctx, input)),
});
