import { exampleInvoice } from '@rentapi/api/slices/invoices/schemas';
import { drawInvoice, type PrintedInvoice } from '@rentapi/api/slices/invoices/service/pdf';
import { createAccounts } from './accounts.ts';
import { alternate, type Contender, clientOf } from './harness.ts';
import { printSamples, takeTurns, type Work } from './in-process.ts';
import { printRounds, spreadOf, timeRatio, type Verdict } from './report.ts';
import type { Stage } from './stage.ts';

const INVOICES = 500;
const PAGE = 25;
const LAST_PAGE = INVOICES / PAGE;
const LINES = [3, 120];
const ROUNDS = 15;
/** Many short ones: what else runs on the machine hits the two pages alike. */
const PAGE_ROUNDS = 61;

/** What a PDF of an invoice takes, and whether the last page of many invoices costs what the first does. */
export async function run(stage: Stage): Promise<Verdict[]> {
  return [...(await drawing()), await listing(stage)];
}

async function drawing(): Promise<Verdict[]> {
  const works: Work[] = LINES.map((count) => ({
    name: `${count} lines`,
    async run(times) {
      for (let time = 0; time < times; time++) await drawInvoice(invoiceOf(count));
    },
  }));
  const samples = await takeTurns(works, { timesPerTurn: 2, turns: 2, rounds: ROUNDS });
  printSamples('PDFs of invoices', samples);
  return works.map((work) => ({
    promise: `A PDF of an invoice of ${work.name}, CPU`,
    measured: spreadOf(samples.get(work)!.map(({ cpuNs }) => cpuNs / 1e6)),
    atMost: 100,
    unit: 'ms',
  }));
}

function invoiceOf(count: number): PrintedInvoice {
  const { seller, buyer, issuedAt, dueAt, number, lines } = exampleInvoice;
  if (!seller || !buyer || !issuedAt || !dueAt || !number) throw new Error('the example is a draft');
  const described = Array.from({ length: count }, (_, at) => ({
    ...lines[0]!,
    description: `Seat ${at + 1} of the plan PRO, monthly, for the branch in Łódź`,
  }));
  return { ...exampleInvoice, seller, buyer, issuedAt, dueAt, number, lines: described, correctsNumber: null };
}

const ADD_INVOICES = `
  insert into invoices (organization_id, kind, status, reason, collection, currency, created_at, updated_at)
  select organizations.id, 'INVOICE', 'DRAFT', 'OTHER', 'MANUAL', 'EUR', now(), now()
  from organizations, generate_series(1, $1)`;

async function listing(stage: Stage): Promise<Verdict> {
  const [token] = await createAccounts(stage, 1, 1);
  await stage.database.query(ADD_INVOICES, [INVOICES]);
  await stage.database.query('vacuum analyze invoices');
  const headers = { authorization: `Bearer ${token}` };
  const requestsOf = () => Array<typeof headers>(256).fill(headers);
  const path = `/api/v1/subscriptions/invoices?limit=${PAGE}`;
  const first: Contender = { name: 'page 1', path, requestsOf, children: [await stage.startServer()] };
  const cursor = await lastCursor(first, headers);
  const last: Contender = {
    name: `page ${LAST_PAGE}`,
    path: `${path}&cursor=${cursor}`,
    requestsOf,
    children: [await stage.startServer()],
  };
  const plan = { contenders: [first, last], connections: 16, warmUps: 8, rounds: PAGE_ROUNDS, requestsPerTurn: 32 };
  const rounds = await alternate(stage, plan);
  for (const { children } of [first, last]) for (const child of children) await child.stop();
  process.stdout.write(`\n${INVOICES} invoices, ${PAGE} a page\n`);
  printRounds(rounds);
  const measured = timeRatio(rounds, first, last);
  return { promise: `Page 1 of ${INVOICES} invoices, time`, measured, atMost: 1.2, unit: `× page ${LAST_PAGE}` };
}

async function lastCursor(contender: Contender, headers: Record<string, string>): Promise<string> {
  const client = clientOf(contender, 1);
  let cursor = '';
  for (let page = 1; page < LAST_PAGE; page++) {
    const path = cursor === '' ? contender.path : `${contender.path}&cursor=${cursor}`;
    const { nextCursor } = (await client.getJson(path, headers)) as { nextCursor: string };
    cursor = nextCursor;
  }
  await client.close();
  return cursor;
}
