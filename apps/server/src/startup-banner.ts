import { DEMO_ADMIN } from '@rentapi/api/demo-data';
import type { Env } from '@rentapi/platform/env';
import { printLine } from './print-line.ts';

interface Facts {
  mailbox: boolean;
  demo: boolean;
  fakePayments: boolean;
  redisMissing: boolean;
}

const FAKE_PAYMENTS = 'fakes of Stripe and PayPal: no money moves, and they forget everything when this process ends';

/** The last lines of a start: where everything is, and which account to use. */
export function printBanner(env: Env, port: number, { mailbox, demo, fakePayments, redisMissing }: Facts): void {
  const base = env.PUBLIC_URL;
  const lines: [string, string][] = [
    ['API', `${base}/api/v1`],
    ['Reference', `${base}/docs`],
    ['Start page', `${base}/`],
  ];
  if (mailbox) lines.push(['Captured mail', `${base}/dev/mail`]);
  if (demo) lines.push(['Demo account', `${DEMO_ADMIN.email} / ${DEMO_ADMIN.password}`]);
  if (fakePayments) lines.push(['Payments', FAKE_PAYMENTS]);
  printLine(`\nRentAPI is ready on http://${env.HOST.includes(':') ? `[${env.HOST}]` : env.HOST}:${port}`);
  for (const [name, value] of lines) printLine(`  ${name.padEnd(14)} ${value}`);
  if (redisMissing) printLine('  Redis does not answer: readiness is 503 and sign-in is refused until it does.');
}
