import { distance } from 'fastest-levenshtein';

/** Shorter names are close to too many others. */
const MIN_LENGTH = 6;
const MAX_DISTANCE = 2;

/** A sentence for each variable that no setting is named like, but nearly: its writer meant the setting. */
export function findMisspelled(source: NodeJS.ProcessEnv, settings: readonly string[]): string[] {
  const known = new Set(settings);
  return Object.keys(source).flatMap((name) => {
    if (known.has(name) || name.length < MIN_LENGTH) return [];
    const close = settings.find((setting) => setting.length >= MIN_LENGTH && isClose(name.toUpperCase(), setting));
    return close ? [`${name} is no setting and is ignored: is it ${close}?`] : [];
  });
}

function isClose(name: string, setting: string): boolean {
  if (Math.abs(name.length - setting.length) > MAX_DISTANCE) return false; // before the work of comparing
  return distance(name, setting) <= MAX_DISTANCE;
}
