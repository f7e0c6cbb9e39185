import { ApiError } from '../../contract/errors.ts';

export const MAX_HEADERS = 20;
export const MAX_HEADER_NAME = 100;
export const MAX_HEADER_VALUE = 1000;

/** RFC 9110: a token; and what may be sent in a value. */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VALUE = /^[\t\x20-\x7e]*$/;
/** Of the connection, of the message, and of the signature: receivers must be able to trust these. */
const RESERVED =
  /^(?:host|content-.*|transfer-encoding|connection|keep-alive|upgrade|expect|te|trailer|accept-encoding|proxy-.*|user-agent|webhook-.*)$/i;

/** Throws for headers that are not to be sent. */
export function assertSendable(headers: Record<string, string>): void {
  const names = Object.keys(headers);
  if (new Set(names.map((name) => name.toLowerCase())).size < names.length)
    throw refused('headers', 'must name each header once, whatever the case');
  for (const [name, value] of Object.entries(headers)) {
    if (!NAME.test(name)) throw refused('headers', `\`${name}\` is no name of a header`);
    if (RESERVED.test(name)) throw refused(`headers.${name}`, 'is set by the server, and cannot be yours');
    if (!VALUE.test(value)) throw refused(`headers.${name}`, 'must be visible ASCII characters, spaces and tabs');
  }
}

function refused(path: string, message: string): ApiError {
  return new ApiError('header_not_allowed', { errors: [{ path, message }] });
}
