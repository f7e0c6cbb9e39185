import { ApiError } from '../../contract/errors.ts';

export const MAX_HEADERS = 20;
export const MAX_HEADER_NAME = 100;
export const MAX_HEADER_VALUE = 1000;
/** What is read at all, so that what is too large is named as such. */
export const READ = { headers: 100, name: 1000, value: 10_000 };

/** RFC 9110: a token; and what may be sent in a value. */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VALUE = /^[\t\x20-\x7e]*$/;
/** Of the connection, of the message, and of the signature: receivers must be able to trust these. */
const RESERVED =
  /^(?:host|content-.*|transfer-encoding|connection|keep-alive|upgrade|expect|te|trailer|accept-encoding|proxy-.*|user-agent|http2-settings|webhook-.*|svix-.*)$/i;

/** Throws for headers that are not to be sent. */
export function assertSendable(headers: Record<string, string>): void {
  const names = Object.keys(headers);
  if (new Set(names.map((name) => name.toLowerCase())).size < names.length)
    throw refused('headers', 'must name each header once, whatever the case');
  if (names.length > MAX_HEADERS) throw refused('headers', `must be at most ${MAX_HEADERS}`);
  for (const [name, value] of Object.entries(headers)) {
    if (name.length > MAX_HEADER_NAME)
      throw refused('headers', `has a name of more than ${MAX_HEADER_NAME} characters`);
    if (value.length > MAX_HEADER_VALUE)
      throw refused(`headers.${name}`, `must have at most ${MAX_HEADER_VALUE.toLocaleString('en')} characters`);
    if (!NAME.test(name)) throw refused('headers', `\`${name}\` is no name of a header`);
    if (RESERVED.test(name)) throw refused(`headers.${name}`, 'is set by the server, and cannot be yours');
    if (!VALUE.test(value)) throw refused(`headers.${name}`, 'must be visible ASCII characters, spaces and tabs');
  }
}

function refused(path: string, message: string): ApiError {
  return new ApiError('header_not_allowed', { errors: [{ path, message }] });
}
