import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseCookie, stringifySetCookie } from 'cookie';

interface CookieOptions {
  sameSite: 'strict' | 'lax';
  maxAgeS: number;
}

/**
 * The cookies of one request and of its answer. Their names begin with `__Host-`: no other host of the domain can set
 * them. Browsers require `Secure` for that, which they also accept from http://localhost.
 */
export class Cookies {
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;

  constructor(req: IncomingMessage, res: ServerResponse) {
    this.#req = req;
    this.#res = res;
  }

  get(name: `__Host-${string}`): string | undefined {
    const { cookie } = this.#req.headers;
    return cookie === undefined ? undefined : parseCookie(cookie)[name] || undefined;
  }

  set(name: `__Host-${string}`, value: string, { sameSite, maxAgeS }: CookieOptions): void {
    const line = stringifySetCookie({
      name,
      value,
      path: '/',
      secure: true,
      httpOnly: true,
      sameSite,
      maxAge: maxAgeS,
    });
    this.#res.appendHeader('Set-Cookie', line);
  }

  clear(name: `__Host-${string}`, sameSite: CookieOptions['sameSite']): void {
    this.set(name, '', { sameSite, maxAgeS: 0 });
  }
}
