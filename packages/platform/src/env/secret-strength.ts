const MIN_DISTINCT = 8;
const PUBLISHED =
  /change.?me|change.?this|example|placeholder|password|default|replace|insecure|secret.?key|your.?secret/i;

/** Why a secret can be guessed, as a predicate that follows its name; null for one that looks random. */
export function weaknessOf(secret: string): string | null {
  if (PUBLISHED.test(secret)) return 'looks like one that was published or is a placeholder';
  const distinct = new Set(secret).size;
  if (distinct < MIN_DISTINCT) return `has only ${distinct} different characters`;
  if (isRepetition(secret)) return 'repeats itself';
  if (isSequence(secret)) return 'is a sequence of neighbouring characters';
  return null;
}

function isRepetition(text: string): boolean {
  for (let period = 1; period <= text.length / 2; period++) {
    if (text.slice(period) === text.slice(0, -period)) return true;
  }
  return false;
}

function isSequence(text: string): boolean {
  let neighbours = 0;
  for (let at = 1; at < text.length; at++) {
    if (Math.abs(text.charCodeAt(at) - text.charCodeAt(at - 1)) <= 1) neighbours++;
  }
  return neighbours > text.length / 2;
}
