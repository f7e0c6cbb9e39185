import Bowser from 'bowser';

export interface Device {
  /** For people: `Firefox on Windows`, or the name of a program. */
  name: string;
  browser: string | null;
  system: string | null;
  type: string | null;
}

const MAX_PARSED = 512;
const UNKNOWN: Device = { name: 'Unknown device', browser: null, system: null, type: null };

/** What a `User-Agent` says of itself: for people to recognise their own devices, not for decisions. */
export function deviceOf(userAgent: string | null): Device {
  const text = userAgent?.slice(0, MAX_PARSED).trim();
  if (!text) return UNKNOWN; // the parser throws for empty text
  const { browser, os, platform } = Bowser.parse(text);
  const found = { browser: browser.name || null, system: os.name || null, type: platform.type || null };
  const program = /^[\w.@-]{1,40}/.exec(text)?.[0] ?? UNKNOWN.name;
  const name = found.browser && found.system ? `${found.browser} on ${found.system}` : (found.browser ?? program);
  return { name, ...found };
}
