import type { Header } from '@rentapi/api/wire/answer';
import { describe, expect, it } from 'vitest';
import { type SecurityHeaders, securityHeaders } from './security-headers.ts';

const value = (headers: readonly Header[], name: string) => headers.find(([known]) => known === name)?.[1];
const csp = (headers: readonly Header[]) => value(headers, 'content-security-policy') ?? '';
const all = (headers: SecurityHeaders) => [headers.api, ...Object.values(headers.pages)];

describe('security headers', () => {
  it('make an API answer useless as a document (V3.4.3)', () => {
    const { api } = securityHeaders('strict', false);
    expect(csp(api)).toBe("default-src 'none';base-uri 'none';frame-ancestors 'none'");
    expect(value(api, 'x-content-type-options')).toBe('nosniff');
    expect(value(api, 'x-frame-options')).toBe('DENY');
    expect(value(api, 'referrer-policy')).toBe('no-referrer');
    expect(value(api, 'cross-origin-resource-policy')).toBe('same-origin');
    expect(value(api, 'x-xss-protection')).toBe('0');
  });

  it('promise HTTPS only over HTTPS', () => {
    for (const headers of all(securityHeaders('strict', true))) {
      expect(value(headers, 'strict-transport-security')).toContain('max-age=');
    }
    for (const headers of all(securityHeaders('strict', false))) {
      expect(value(headers, 'strict-transport-security')).toBeUndefined();
      expect(csp(headers)).not.toContain('upgrade-insecure-requests');
    }
  });

  it('allow no inline script, no eval and no other host when strict', () => {
    for (const headers of all(securityHeaders('strict', false))) {
      expect(csp(headers)).not.toMatch(/unsafe-eval|https?:|\*/);
      expect(csp(headers)).not.toMatch(/script-src[^;]*unsafe-inline/);
      expect(csp(headers)).toContain("default-src 'none'");
    }
  });

  it('allow inline styles only where a reference or a mail needs them', () => {
    const { pages } = securityHeaders('strict', false);
    expect(csp(pages.own)).toContain("style-src 'self';");
    for (const kind of ['scalar', 'redoc', 'mail'] as const) expect(csp(pages[kind])).toContain("'unsafe-inline'");
  });

  it('let only our own pages send a form, and only to this server', () => {
    const { pages } = securityHeaders('strict', false);
    for (const kind of ['own', 'form'] as const) expect(csp(pages[kind])).toContain("form-action 'self'");
    for (const kind of ['scalar', 'redoc', 'mail'] as const) expect(csp(pages[kind])).toContain("form-action 'none'");
  });

  it('keep a mail without scripts and without an origin, whatever the mode', () => {
    for (const mode of ['strict', 'relaxed', 'disabled'] as const) {
      const { mail } = securityHeaders(mode, false).pages;
      expect(csp(mail)).toContain('sandbox allow-popups');
      expect(csp(mail)).not.toMatch(/script-src|allow-scripts|allow-same-origin/);
    }
  });

  it('keep the pages of forms without scripts, whatever the mode, and let browsers name them as origin', () => {
    for (const mode of ['strict', 'relaxed', 'disabled'] as const) {
      const { form } = securityHeaders(mode, false).pages;
      expect(csp(form)).toContain("script-src 'none'");
      expect(csp(form)).not.toContain('unsafe');
      expect(value(form, 'referrer-policy')).toBe('same-origin');
    }
  });

  it('keep other sites from framing us even with the Content-Security-Policy disabled (V3.4.6)', () => {
    for (const https of [false, true]) {
      const { api, pages } = securityHeaders('disabled', https);
      for (const headers of [api, pages.own, pages.scalar, pages.redoc]) {
        expect(csp(headers)).toBe("frame-ancestors 'none'");
        expect(value(headers, 'x-content-type-options')).toBe('nosniff');
      }
    }
  });
});
