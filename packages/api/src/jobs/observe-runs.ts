import type { ObserveRun } from '@rentapi/platform/jobs';
import type { Ports } from '../context.ts';
import { SPAN_FAILED } from '../pipeline/observe.ts';

/** Counts, times and traces each run of a job, and reports its failures, because no caller waits for the result. */
export function observeRuns(ports: Ports): ObserveRun {
  return ({ name, id, attempt }) => {
    const { metrics, tracer } = ports;
    const began = performance.now();
    const span = tracer?.start(
      name,
      { traceparent: undefined, tracestate: undefined },
      { 'rentapi.job': name, 'rentapi.job.id': id, 'rentapi.job.attempt': String(attempt) },
    );
    return (end) => {
      const { outcome } = end;
      metrics.jobs.inc({ job: name, outcome });
      metrics.jobDurations.observe({ job: name }, (performance.now() - began) / 1000);
      span?.setAttribute('rentapi.job.outcome', outcome);
      if ('error' in end) {
        span?.setStatus({ code: SPAN_FAILED });
        ports.errors?.report(end.error, { job: name, jobId: id, attempt: String(attempt), outcome });
      }
      span?.end();
    };
  };
}
