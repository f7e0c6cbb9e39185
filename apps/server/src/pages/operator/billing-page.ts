import type { BillingFindingPage } from '@rentapi/api/slices/billing/schemas';
import { type BillingBooks, FAULTS } from '@rentapi/api/slices/books/schemas';
import { type Html, html } from '@rentapi/platform/html';
import type { Site } from '../layout.ts';
import { BILLING, operatorPage, query, time } from './operator-page.ts';

/** Whether the books balance, and what providers have that we do not expect. */
export function billingPage(site: Site, books: BillingBooks, findings: BillingFindingPage, now: Date): string {
  const main = html`
      ${state(books, now)}
      <h2>Faults</h2>
      ${
        books.faults.length === 0
          ? html`<p class="empty">There are none.</p>`
          : table(
              ['Fault', 'Organization', 'How often', 'Found'],
              books.faults.map(({ kind, organizationId, count, foundAt }) => [
                html`${kind}<br>${FAULTS[kind]}`,
                organizationId === null ? '–' : html`<code>${organizationId}</code>`,
                String(count),
                time(foundAt),
              ]),
            )
      }
      <h2>Findings</h2>
      <p>What providers of payments have and this server does not expect. None of it is adopted. What agrees again is resolved by itself.</p>
      ${
        findings.items.length === 0
          ? html`<p class="empty">There are none.</p>`
          : table(
              ['Finding', 'State', 'Object', 'Ours', 'Theirs', 'Found', 'Last seen'],
              findings.items.map(({ kind, state, provider, objectKind, externalId, ours, theirs, foundAt, seenAt }) => [
                kind,
                state,
                html`${provider} ${objectKind}<br><code>${externalId}</code>`,
                ours ?? '–',
                theirs ?? '–',
                time(foundAt),
                time(seenAt),
              ]),
            )
      }
      ${
        findings.nextCursor === null
          ? null
          : html`<p><a href="${BILLING}?${query({ cursor: findings.nextCursor })}">Older</a></p>`
      }`;
  return operatorPage(site, 'Billing', main);
}

function state({ balanced, checkedAt }: BillingBooks, now: Date): Html {
  if (balanced === null || checkedAt === null) {
    return html`<p class="note" role="status">The books have not been checked as a whole yet.</p>`;
  }
  const checked = html`checked <time datetime="${checkedAt}">${ago(now.getTime() - Date.parse(checkedAt))}</time>`;
  return balanced
    ? html`<p class="note good" role="status">The books balance, ${checked}.</p>`
    : html`<p class="note bad" role="alert">The books do not balance, ${checked}.</p>`;
}

const UNITS = [
  [86_400, 'days'],
  [3600, 'h'],
  [60, 'min'],
] as const;

function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const [size, unit] = UNITS.find(([size]) => seconds >= 2 * size) ?? [1, 's'];
  return `${Math.floor(seconds / size)} ${unit} ago`;
}

function table(headings: readonly string[], rows: readonly (readonly (string | Html)[])[]): Html {
  return html`<div class="scroll"><table>
        <thead><tr>${headings.map((heading) => html`<th scope="col">${heading}</th>`)}</tr></thead>
        <tbody>${rows.map((cells) => html`<tr>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody>
      </table></div>`;
}
