import type { ObserveRun } from '@rentapi/platform/jobs';
import type { Ports } from '../context.ts';
import { SPAN_FAILED } from '../pipeline/observe.ts';

/** Each run of a job: counted, timed and traced; and what fails told to whoever collects failures, for nobody waits for its answer. */
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
