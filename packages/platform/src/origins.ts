/** What an origin must look like, for a sentence: `must be …`. */
export const ORIGIN_SHAPE =
  'an origin, which is scheme, host and port only, such as https://app.example.com, http://localhost:5173 or capacitor://localhost';

/**
 * Whether a browser or an app sends this text as `Origin`. It sends one spelling: an address with a path, a wildcard,
 * or no scheme never matches. No URL parser knows an app's or extension's own scheme, so its shape decides.
 */
export function isOrigin(text: string): boolean {
  if (text.includes('*')) return false;
  if (!/^https?:/i.test(text)) return /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@]+$/.test(text);
  return URL.parse(text)?.origin === text;
}
