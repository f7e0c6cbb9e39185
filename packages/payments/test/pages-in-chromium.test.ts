import { chromiumIsMissing, openChromium } from '@rentapi/testing/chromium';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPayPal, startStripe } from './harnesses.ts';

const CHARGE = {
  key: 'pay_1/1',
  reference: 'pay_1',
  amount: { amountMinor: 1234, currency: 'EUR' },
  description: '1,000 credits',
  customerId: null,
  methodId: null,
};

describe.skipIf(chromiumIsMissing())('a payer in Chromium', () => {
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    browser = await openChromium();
    page = await browser.newPage();
  });
  afterAll(() => browser.close());

  describe.each([
    ['stripe', startStripe, 'Close'],
    ['paypal', startPayPal, 'Cancel'],
  ] as const)('at %s', (_, start, leave) => {
    it('pays on the page of the provider, and comes back', async () => {
      const { provider, fake, movedMinor, close } = await start();
      const returnUrl = `${fake.url}/back`;
      const { id, actionUrl } = await provider.createCharge({ ...CHARGE, returnUrl });
      await page.goto(actionUrl!);
      await page.getByRole('button', { name: 'Pay' }).click();
      await page.waitForURL(returnUrl);
      await provider.confirmCharge({ id, key: 'pay_1/1', methodId: null, returnUrl });
      expect((await provider.getCharge(id)).status).toBe('SUCCEEDED');
      expect(movedMinor('EUR')).toBe(1234);
      await page.goto(actionUrl!);
      expect(await page.getByRole('button').count()).toBe(0);
      await close();
    });

    it('leaves, and nothing moves', async () => {
      const { provider, fake, movedMinor, close } = await start();
      const returnUrl = `${fake.url}/back`;
      const { id, actionUrl } = await provider.createCharge({ ...CHARGE, returnUrl });
      await page.goto(actionUrl!);
      await page.getByRole('button', { name: leave }).click();
      await page.waitForURL(returnUrl);
      expect((await provider.getCharge(id)).next).toBe('payer');
      expect(movedMinor('EUR')).toBe(0);
      await close();
    });

    it('saves a method', async () => {
      const { provider, fake, close } = await start();
      const customer = await provider.createCustomer({ key: 'org_1', reference: 'org_1', email: null, name: null });
      const returnUrl = `${fake.url}/back`;
      const input = { key: 's_1', reference: 'org_1', customerId: customer?.id ?? null, currency: 'EUR', returnUrl };
      const { id, actionUrl } = await provider.startSetup(input);
      await page.goto(actionUrl!);
      await page.getByRole('button', { name: 'Save' }).click();
      await page.waitForURL(returnUrl);
      expect((await provider.finishSetup(id)).status).toBe('SUCCEEDED');
      await close();
    });
  });
});
