import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, type TestApp } from '../../../test/app.ts';
import { makeOrganization } from '../../../test/organization.ts';

const read = (file: string) => readFileSync(new URL(`../../../../../docs/${file}`, import.meta.url), 'utf8');

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

describe('the text of a chat message (V1.3.5)', () => {
  it.each([
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '**bold** [link](javascript:alert(1)) &lt;b&gt;',
  ])('is kept and answered as it was written, never rendered: %s', async (text) => {
    const { owner, path } = await makeOrganization(app);
    const messages = `${path}/chat/messages`;
    const sent = await owner.request(messages, { method: 'POST', body: { text } });
    expect([sent.status, sent.body.text]).toEqual([201, text]);
    const { headers, body } = await owner.request(messages);
    expect(body.items).toMatchObject([{ text }]);
    expect(headers.get('content-type')).toMatch(/^application\/json/);
  });

  it('may be shown without HTML and with safe links only, as the guide and the document say', () => {
    expect(read('guides/realtime.md').replaceAll(/\s+/g, ' ')).toContain(
      'Allow no HTML where you render it, and links with `http:`, `https:` and `mailto:` only.',
    );
    expect(read('openapi.json')).toContain(
      'allow no HTML where you show it, and links with http, https and mailto only',
    );
  });
});
