import { QUEUES } from '@rentapi/api/jobs/job';
import {
  JOB_STATUSES,
  type JobDetails,
  type JobPage,
  type ListJobs,
  type QueueState,
} from '@rentapi/api/slices/queues/schemas';
import { type Html, html } from '@rentapi/platform/html';
import type { Site } from '../layout.ts';
import { alert, JOBS, operatorPage, query, time } from './operator-page.ts';

export function jobList(
  site: Site,
  queues: readonly QueueState[],
  jobs: JobPage,
  { queue, status, name }: ListJobs,
): string {
  const option = (value: string, chosen: string | undefined) =>
    html`<option value="${value}"${value === chosen ? html` selected` : null}>${value}</option>`;
  const main = html`
      <h2>Queues</h2>
      <div class="scroll"><table>
        <thead><tr>${QUEUE_HEADINGS.map((heading) => html`<th scope="col">${heading}</th>`)}</tr></thead>
        <tbody>${queues.map(
          (state) => html`
          <tr>
            <th scope="row"><a href="${JOBS}?queue=${state.queue}">${state.queue}</a></th>
            <td>${state.waiting}</td><td>${state.due}</td><td>${state.running}</td><td>${state.failed}</td>
            <td>${state.oldestDueSeconds === null ? '–' : `${Math.round(state.oldestDueSeconds)} s`}</td>
            <td>${state.workers}</td><td>${state.concurrency}</td>
          </tr>`,
        )}
        </tbody>
      </table></div>
      <h2>Jobs</h2>
      <form action="${JOBS}">
        <label>Queue <select name="queue"><option value="">all</option>${QUEUES.map((each) => option(each, queue))}</select></label>
        <label>Status <select name="status"><option value="">all</option>${JOB_STATUSES.map((each) => option(each, status))}</select></label>
        <label>Name <input name="name" maxlength="100" value="${name ?? ''}"></label>
        <button type="submit">Show</button>
      </form>
      ${
        jobs.items.length === 0
          ? html`<p class="empty">There are none.</p>`
          : html`<div class="scroll"><table>
        <thead><tr><th scope="col">Job</th><th scope="col">Queue</th><th scope="col">Status</th><th scope="col">Attempts</th>
          <th scope="col">Requested</th><th scope="col">Error</th></tr></thead>
        <tbody>${jobs.items.map(
          (job) => html`
          <tr>
            <td><a href="${JOBS}/${job.id}">${job.name}</a></td>
            <td>${job.queue ?? 'not known'}</td><td>${job.status}</td>
            <td>${job.attempts}${job.maxAttempts === null ? '' : ` of ${job.maxAttempts}`}</td>
            <td>${time(job.createdAt)}</td><td>${job.error ?? ''}</td>
          </tr>`,
        )}
        </tbody>
      </table></div>`
      }
      ${jobs.nextCursor === null ? null : html`<p><a href="${JOBS}?${query({ queue, status, name, cursor: jobs.nextCursor })}">Older</a></p>`}`;
  return operatorPage(site, 'Jobs', main);
}

const QUEUE_HEADINGS = ['Queue', 'Waiting', 'Due', 'Running', 'Failed', 'Oldest due', 'Workers', 'At once'];

export function jobView(site: Site, job: JobDetails, problem: string | null): string {
  const facts: [string, string | Html][] = [
    ['Id', html`<code>${job.id}</code>`],
    ['Status', job.status],
    ['Queue', job.queue ?? 'not known'],
    ['Attempts', `${job.attempts}${job.maxAttempts === null ? '' : ` of ${job.maxAttempts}`}`],
    ...(job.progress === null ? [] : [['Progress', `${Math.round(job.progress * 100)} %`] satisfies [string, string]]),
    ['Requested', time(job.createdAt)],
    ['Due', time(job.dueAt)],
    ['Started', time(job.startedAt)],
    ['Ended', time(job.endedAt)],
    ['Input', html`<code>${job.input === null ? 'not kept' : JSON.stringify(job.input)}</code>`],
    ['Error', job.error ?? 'none'],
  ];
  const main = html`${alert(problem)}
      <div class="scroll"><table>
        <tbody>${facts.map(([name, value]) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`)}</tbody>
      </table></div>
      ${
        job.status === 'FAILED'
          ? html`<form method="post" action="${JOBS}/${job.id}/retry"><button type="submit">Retry</button></form>`
          : null
      }
      <h2>Attempts that did not succeed</h2>
      ${
        job.log.length === 0
          ? html`<p class="empty">There are none.</p>`
          : html`<div class="scroll"><table>
        <thead><tr><th scope="col">Attempt</th><th scope="col">Outcome</th><th scope="col">Began</th><th scope="col">Ended</th>
          <th scope="col">Error</th></tr></thead>
        <tbody>${job.log.map(
          (attempt) => html`<tr><td>${attempt.attempt}</td><td>${attempt.outcome}</td>
            <td>${time(attempt.startedAt)}</td><td>${time(attempt.endedAt)}</td><td>${attempt.error ?? ''}</td></tr>`,
        )}
        </tbody>
      </table></div>`
      }`;
  return operatorPage(site, job.name, main);
}
