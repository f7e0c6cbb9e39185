/** Names around a password, which guessers try first. */
export interface Surroundings {
  /** The hosts of this service. */
  hosts: readonly string[];
  /** The person's address, and their names and those of their organizations. */
  email: string;
  names: readonly (string | null | undefined)[];
}

const PRODUCT = 'RentAPI';
/** Of a shorter name, or of one label of a host, too many good passwords would be repetitions. */
const MIN_NAME = 3;

/** Why a password is refused although it is long enough, as a predicate that follows its name; null if it is not. */
export async function refusalOf(password: string, surroundings: Surroundings): Promise<string | null> {
  const text = password.normalize('NFKC').toLowerCase();
  if ((await commonPasswords()).has(text)) return 'is one of the most common passwords: choose another';
  if (namesIn(surroundings).some((name) => isOnly(text, name)))
    return 'is little more than your name, your address, or the name of this service or of your organization: choose another';
  return null;
}

function namesIn({ hosts, email, names }: Surroundings): string[] {
  const [local = '', domain = ''] = email.split('@');
  const given = [PRODUCT, ...hosts, ...hosts.flatMap(labelsOf), email, local, domain, ...labelsOf(domain), ...names];
  return [...new Set(given.flatMap((name) => lettersOf(name?.normalize('NFKC').toLowerCase() ?? '')))].filter(
    (name) => [...name].length >= MIN_NAME,
  );
}

/** Without the last label, which many hosts share. */
const labelsOf = (host: string): string[] => host.split('.').slice(0, -1);

const lettersOf = (text: string): string => text.replace(/[^\p{L}\p{N}]/gu, '');

/** Whether a text is a name, once or repeated, with nothing but digits and signs around it. */
function isOnly(text: string, name: string): boolean {
  const letters = lettersOf(text);
  const rest = letters.replaceAll(name, '');
  return letters.includes(name) && /^\p{N}*$/u.test(rest);
}

let loading: Promise<Set<string>> | undefined;

/** Unpacked for the first password: an idle server is smaller without it. */
function commonPasswords(): Promise<Set<string>> {
  loading ??= import('@zxcvbn-ts/language-common').then(({ dictionary }) => new Set(dictionary['passwords-common']));
  return loading;
}
