import { readdirSync, readFileSync, statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contract, startPages } from '../../../test/pages-server.ts';
import { DOCUMENTS_ROOT } from '../../files.ts';
import { DOCUMENTS } from './guide-files.ts';
import { renderMarkdown } from './markdown.ts';

let pages: Awaited<ReturnType<typeof startPages>>;
let origin = '';
beforeAll(async () => {
  pages = await startPages({ securityContact: 'mailto:security@example.com' });
  origin = pages.url;
});
afterAll(() => pages.close());

const get = (path: string, headers: Record<string, string> = {}) => fetch(origin + path, { headers });
const text = async (path: string, headers: Record<string, string> = {}) => (await get(path, headers)).text();
const sections = ['guides', 'sdk', 'trpc', 'events', 'permissions', 'errors', 'operations'].map(
  (name) => `/docs/${name}`,
);

interface Page {
  links: string[];
  ids: Set<string>;
}

/** Every page of ours that a reader can reach from the start page, with its links. */
async function crawl(): Promise<Map<string, Page>> {
  const found = new Map<string, Page>();
  const next = ['/', '/docs/operations', '/docs/search?q=key'];
  for (let path = next.pop(); path !== undefined; path = next.pop()) {
    if (found.has(path)) continue;
    const response = await get(path, { Accept: 'text/html' });
    expect([path, response.status]).toEqual([path, 200]);
    const isPage = response.headers.get('content-type')?.startsWith('text/html');
    const body = isPage ? await response.text() : '';
    const links = [...body.matchAll(/<a [^>]*href="([^"]+)"/g)].map(([, link = '']) => link.replaceAll('&#38;', '&'));
    found.set(path, { links, ids: new Set([...body.matchAll(/ id="([^"]+)"/g)].map(([, id = '']) => id)) });
    next.push(...links.flatMap((link) => pathOf(link, path) ?? []));
  }
  return found;
}

/** null for another server, and for what this one does not serve in this test. */
function pathOf(link: string, from: string): string | null {
  const url = new URL(link, origin + from);
  return url.origin === origin && !/^\/(health|dev)/.test(url.pathname) ? url.pathname + url.search : null;
}

describe('links', () => {
  let found: Map<string, Page>;
  beforeAll(async () => {
    found = await crawl();
  });

  it('reach every page of the documentation', () => {
    const names = [
      ...sections,
      ...contract.errors.map(({ code }) => `/docs/errors/${code}`),
      ...contract.operations.map(({ id }) => `/docs/operations/${id}`),
      ...['docs/guides', 'docs/runbooks'].flatMap((directory) =>
        readdirSync(new URL(`${directory}/`, DOCUMENTS_ROOT))
          .filter((name) => name !== 'README.md')
          .map((name) => `/${directory}/${name.replace(/\.md$/, '')}`),
      ),
      '/docs/guides/quickstart',
      '/docs/sdk/methods',
      '/docs/sdk/example',
    ];
    expect(names.filter((name) => !found.has(name))).toEqual([]);
  });

  it('name headings that exist', () => {
    const broken = [...found].flatMap(([from, { links }]) =>
      links.filter((link) => {
        const { hash } = new URL(link, origin + from);
        const path = pathOf(link, from);
        return hash !== '' && path !== null && !found.get(path)?.ids.has(decodeURIComponent(hash.slice(1)));
      }),
    );
    expect(broken).toEqual([]);
  });

  it('lead from no page to files of the repository, and to no other server but the known ones', () => {
    const foreign = [...found].flatMap(([from, { links }]) =>
      links.filter((link) => new URL(link, origin + from).origin !== origin),
    );
    expect(foreign).toEqual([]);
    for (const [from, { links }] of found)
      expect([from, links.filter((link) => /\.(ts|md)#|\.ts$/.test(link))]).toEqual([from, []]);
  });

  it('are checked in Markdown too: each answers Markdown', async () => {
    const texts = [...found.keys()].filter((path) => path.startsWith('/docs/') && path.endsWith('.md'));
    expect(texts.length).toBeGreaterThan(contract.errors.length + contract.operations.length);
    const linked = new Set<string>();
    for (const path of [...texts, '/llms.txt']) {
      for (const [, link = ''] of (await text(path)).matchAll(/\]\(([^)\s#]+)[^)\s]*\)/g)) linked.add(link);
    }
    for (const link of linked) {
      if (link === '') continue; // within the page
      const response = await fetch(link.startsWith('/') ? origin + link : link);
      expect([link, response.status]).toEqual([link, 200]);
    }
  });
});

describe('a page of the documentation', () => {
  it.each(sections)('%s is Markdown with .md after its address, or for whom asks for it', async (path) => {
    const markdown = await get(`${path}.md`);
    expect(markdown.headers.get('content-type')).toBe('text/markdown; charset=utf-8');
    const body = await markdown.text();
    expect(body).toMatch(/^# /);
    expect(body).not.toMatch(/<!--|\]\(\.{0,2}\//);
    const asked = await get(path, { Accept: 'text/markdown' });
    expect(asked.headers.get('vary')).toContain('Accept');
    expect(await asked.text()).toBe(body);
    const page = await get(path, { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' });
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('vary')).toContain('Accept');
    expect(await page.text()).toContain(`<link rel="alternate" type="text/markdown" href="${path}.md">`);
  });

  it('names this server, not the one of the examples', async () => {
    for (const path of ['/docs/sdk', '/docs/trpc', '/docs/guides/first-calls', '/docs/guides/quickstart']) {
      const markdown = await text(`${path}.md`);
      expect(markdown).toContain(origin);
      expect(markdown).not.toMatch(/localhost:8000|api\.example\.com/);
    }
    expect(await text('/docs/guides/realtime.md')).toContain(`${origin.replace('http', 'ws')}/trpc`);
    expect(await text('/docs/operations/apiKeys.create.md')).toContain(`curl -X POST '${origin}/api/v1/api-keys'`);
  });

  it('says which permission an operation needs, and which role has it', async () => {
    expect(await text('/docs/operations/apiKeys.create.md')).toContain('Needs `api_keys:create`.');
    const permissions = await text('/docs/permissions.md');
    expect(permissions).toMatch(/\| `api_keys:create` \| yes \| yes \| yes \| – \| \[`apiKeys\.create`\]/);
    const rows = permissions.split('\n').filter((line) => line.startsWith('| [`'));
    for (const { id, needs } of contract.operations) {
      expect([id, rows.find((row) => row.startsWith(`| [\`${id}\`]`))]).toEqual([id, expect.stringContaining(needs)]);
    }
  });

  it('lists the fields of a person by right: members see none of the rest of an account (V8.1.2, V8.2.3)', async () => {
    const [, chapter = ''] = (await text('/docs/permissions.md')).split('\n## Fields of a person\n');
    const cellsOf = (who: string) =>
      chapter
        .split('\n')
        .find((row) => row.startsWith(`| ${who}`))!
        .split(' | ');
    const fieldsOf = (cell = '') => new Set([...cell.matchAll(/`(\w+)`/g)].map(([, field]) => field));
    const seen = (who: string) => fieldsOf(cellsOf(who)[1]?.split(': ')[1]);
    const withheld = [...seen('Platform staff')].filter((field) => !seen('Members').has(field));
    expect(withheld.toSorted()).toEqual(
      [
        'createdAt',
        'defaultOrganizationId',
        'emailVerifiedAt',
        'id',
        'metadata',
        'status',
        'twoFactorEnabled',
      ].toSorted(),
    );
    expect(seen('The person')).toEqual(seen('Platform staff'));
    expect(fieldsOf(cellsOf('The person')[2])).toEqual(
      new Set(['fullName', 'username', 'metadata', 'defaultOrganizationId']),
    );
    expect(fieldsOf(cellsOf('Platform staff')[2])).toEqual(new Set(['fullName', 'username', 'metadata']));
  });

  it('shows each event with its permission, fields and example', async () => {
    const events = await text('/docs/events.md');
    for (const { name, permission } of contract.events) {
      const [chapter = ''] = (events.split(`\n## \`${name}\`\n`)[1] ?? '').split('\n## ');
      for (const part of [`Needs \`${permission}\`.`, '| Field |', `"event": "${name}"`])
        expect([name, chapter]).toEqual([name, expect.stringContaining(part)]);
    }
  });

  it('says whether to retry, what the SDK throws and which operations answer an error', async () => {
    const retries = { no: '**No.**', yes: '**Yes**', after: '**After a while.**' };
    for (const { code, retry, sdkClass, fix } of contract.errors) {
      const page = await text(`/docs/errors/${code}.md`);
      for (const part of [retries[retry], `instanceof ${sdkClass}`, fix])
        expect([code, page]).toEqual([code, expect.stringContaining(part)]);
    }
    const all = `All ${contract.operations.length} but these:\n\n- [\`system.health\`]`;
    expect(await text('/docs/errors/rate_limited.md')).toContain(all);
    expect(await text('/docs/errors/scope_not_held.md')).toContain('/docs/operations/apiKeys.create.md)');
    expect(await text('/docs/errors/invalid_input.md')).toContain('All of them.');
  });
});

describe('the search', () => {
  const search = async (query: string) => {
    const answer = await get(`/docs/search.json?q=${encodeURIComponent(query)}`);
    const { items } = (await answer.json()) as { items: { kind: string; url: string }[] };
    return items;
  };

  it.each([
    ['rate limit', '/docs/errors/rate_limited'],
    ['rate_limited', '/docs/errors/rate_limited'],
    ['apiKeys.create', '/docs/operations/apiKeys.create'],
    ['create key', '/docs/operations/apiKeys.create'],
    ['api_key.revoked', '/docs/events#api_keyrevoked'],
    ['lastEventId', '/docs/guides/realtime#the-socket'],
    ['If-Match etag', '/docs/guides/first-calls#change-safely'],
    ['permision', '/docs/permissions'],
    ['retries', '/docs/sdk#repeats'],
  ])('for %j finds %s', async (query, url) => {
    expect((await search(query)).map((result) => result.url)).toContain(url);
  });

  it('works without scripts: a form with GET, and a page of results', async () => {
    const page = await text('/docs/search?q=rate+limit');
    expect(page).toContain('<a href="/docs/errors/rate_limited">');
    const form = /<form class="[\w-]+" role="search" action="\/docs\/search">\s*<input type="search" name="q"/g;
    for (const each of [page, await text('/docs/errors')]) expect(each.match(form)).toHaveLength(1);
    expect((await get('/docs/errors')).headers.get('content-security-policy')).toContain("form-action 'self'");
  });

  it('shows excerpts as plain sentences, and names the page of a chapter once', async () => {
    const found = await search('scopes of a key');
    expect(found.find(({ url }) => url === '/docs/permissions#scopes-of-a-key')).toMatchObject({
      kind: 'Permissions',
      excerpt: expect.stringContaining('one permission (api_keys:read), all of a resource (api_keys:*)'),
    });
    expect((await search('pages')).map(({ kind }) => kind)).toContain('SDK: @rentapi/sdk');
  });

  it('repeats what was searched for as text', async () => {
    const page = await text(`/docs/search?q=${encodeURIComponent('"><script>alert(1)</script>')}`);
    expect(page).toContain('value="&#34;&#62;&#60;script&#62;alert(1)');
    expect(page).not.toContain('<script>');
  });

  it('reads a bounded part of a query, and finds at most 30 things', async () => {
    const long = `${'key '.repeat(25)}${'x'.repeat(5000)}`;
    expect((await search(long)).length).toBe(30);
    expect(await text(`/docs/search?q=${'y'.repeat(5000)}`)).not.toContain('y'.repeat(101));
    for (const query of ['?q=', '', '?q=a&q=b', '?q[a]=b', '?q=%20!%20']) {
      expect(await (await get(`/docs/search.json${query}`)).json()).toEqual({ items: [] });
    }
  });
});

describe('for programs', () => {
  it('/llms.txt lists every guide, operation, event and error', async () => {
    const response = await get('/llms.txt');
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    const index = await response.text();
    expect(index).toMatch(/^# RentAPI\n\n> /);
    for (const { id } of contract.operations) expect(index).toContain(`[${id}](${origin}/docs/operations/${id}.md)`);
    expect(index).toContain('`POST /api/v1/api-keys`. Create an API key. Needs `api_keys:create`.');
    for (const { name } of contract.events) expect(index).toContain(`- \`${name}\``);
    for (const { code } of contract.errors) expect(index).toContain(`[${code}](${origin}/docs/errors/${code}.md)`);
    expect(index).toContain(`${origin}/docs/guides/first-calls.md`);
  });

  it.each(['/llms.txt', '/docs/errors.md', '/docs/errors', '/docs/guides/first-calls.md'])(
    '%s is compressed, the same each time',
    async (path) => {
      const [first, again, plain] = [
        await get(path),
        await get(path),
        await get(path, { 'Accept-Encoding': 'identity' }),
      ] as const;
      expect([first, again, plain].map(({ headers }) => headers.get('content-encoding'))).toEqual([
        'gzip',
        'gzip',
        null,
      ]);
      for (const { headers } of [first, plain]) expect(headers.get('vary')).toMatch(/accept-encoding/i);
      const expected = await plain.text();
      for (const response of [first, again]) expect(await response.text()).toBe(expected);
    },
  );

  it('/robots.txt keeps robots out of what is no page', async () => {
    expect(await text('/robots.txt')).toMatch(/^User-agent: \*\nDisallow: \/api\/\n/);
  });

  it('/.well-known/security.txt names the contact and when to ask again, where one is set', async () => {
    const file = await text('/.well-known/security.txt');
    expect(file).toContain('Contact: mailto:security@example.com\n');
    expect(file).toContain(`Canonical: ${origin}/.well-known/security.txt\n`);
    const expires = Date.parse(/^Expires: (.*)$/m.exec(file)?.[1] ?? '');
    expect(expires).toBeGreaterThan(Date.now());
    expect(expires).toBeLessThan(Date.now() + 365 * 86_400_000);
    const without = await startPages();
    expect((await fetch(`${without.url}/.well-known/security.txt`)).status).toBe(404);
    without.close();
  });

  it('/favicon.ico is an icon', async () => {
    const icon = await get('/favicon.ico');
    expect(icon.headers.get('content-type')).toBe('image/x-icon');
    expect([...new Uint8Array(await icon.arrayBuffer()).slice(0, 6)]).toEqual([0, 0, 1, 0, 1, 0]);
  });
});

describe('Markdown', () => {
  it('shows HTML as text, gives headings their names, and lets a keyboard scroll code and tables', () => {
    const { html, headings } = renderMarkdown(
      '# A\n\n## `x` & y\n\n## `x` & y\n\n<script>alert(1)</script>\n\n```ts\na < b\n```\n\n| a | b |\n| - | - |\n| `404` | 2 |\n',
    );
    expect(headings.map(({ id, text }) => [id, text])).toEqual([
      ['x--y', 'x & y'],
      ['x--y-1', 'x & y'],
    ]);
    expect(html.text).not.toContain('<script>');
    expect(html.text).toContain('<pre tabindex="0"><code class="language-ts">a &#60; b');
    expect(html.text).toContain('<div class="scroll" tabindex="0"');
    expect(html.text).toContain('<code class="status s4">404</code>');
  });
});

it('lists every file that the pages are made of, for the build', () => {
  const source = readFileSync(new URL('./guides.ts', import.meta.url), 'utf8');
  for (const name of DOCUMENTS) expect(statSync(new URL(name, DOCUMENTS_ROOT)).size).toBeGreaterThan(0);
  const read = [...source.matchAll(/file: '([^']+)'|(?:GUIDES|RUNBOOKS) = '([^']+)'/g)].map(
    ([, file, folder]) => file ?? folder,
  );
  expect([...DOCUMENTS].sort()).toEqual(read.sort());
});
