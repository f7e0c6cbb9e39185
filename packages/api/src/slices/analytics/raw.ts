import { z } from 'zod';
import { rawRoute, sendChunks } from '../../wire/raw-route.ts';
import { socketAddress } from '../realtime/service/socket-address.ts';
import { Environment, exampleQuery, ReportQuery } from './schemas.ts';
import { openReport } from './service/report.ts';

export const analyticsSocket = socketAddress({
  name: 'ws.analytics',
  path: '/ws/analytics',
  tags: ['Analytics'],
  summary: 'Open the socket of live numbers',
  query: { environment: Environment },
});

export const reportDownload = rawRoute({
  name: 'analytics.reports.download',
  meta: {
    access: 'analytics:export',
    openapi: {
      method: 'GET',
      path: '/analytics/reports/download',
      tags: ['Analytics'],
      summary: 'Download calls over time',
      description:
        'A row for each hour or day and each group that has calls, oldest first: all groups, at most 1,000,000 rows. Text in CSV that a spreadsheet would run as a formula has an apostrophe in front. It is cut off when you lose access: an answer that breaks off is incomplete.',
    },
    errors: [
      'unknown_time_zone',
      'time_range_unbounded',
      'time_range_reversed',
      'time_range_too_long',
      'report_too_large',
      'overloaded',
    ],
    example: { input: { ...exampleQuery, format: 'csv' } },
  },
  input: ReportQuery,
  answer: {
    type: 'text/csv',
    alternatives: ['application/x-ndjson', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
    schema: z.string().meta({ format: 'binary', description: 'The file.' }),
    fileName: 'usage.csv',
  },
  async serve(ctx, query, exchange) {
    const { type, fileName, chunks } = await openReport(ctx, query);
    exchange.res.setHeader('Content-Type', type);
    exchange.res.setHeader('Content-Disposition', `attachment; filename="${fileName}"`);
    await sendChunks(exchange, chunks);
  },
});
