import { pino } from 'pino';

export const CENSOR = '[redacted]';

/** Names of credentials, without case and punctuation. The product names its other secrets. */
const CREDENTIAL =
  /passw(or)?d|passphrase|secret|token|authorization|cookie|apikey|privatekey|signingkey|credential|backupcode|recoverycode|verificationcode|totp|^otp|pepper|signature|connectionstring|^dsn$|(database|redis|smtp)url$/;
/** Credentials inside text: in a URL, and in an Authorization header. A failing row may contain hashes of passwords. */
const URL_CREDENTIALS = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi;
const SCHEME_CREDENTIALS = /\b(Bearer|Basic) +[\w.~+/=-]{8,}/g;
const FAILING_ROW = /(Failing row contains )\(.*\)/g;

const MAX_DEPTH = 10;
const MAX_VALUES = 2000;

export type Redact = (record: Record<string, unknown>) => Record<string, unknown>;

/** A copy of a record without credentials, at any depth. An error's `code` is a diagnosis and stays. */
export function createRedact(secretFields: readonly string[]): Redact {
  const fields = new Set(secretFields.map(plain));
  const isSecret = (name: string): boolean => fields.has(plain(name)) || CREDENTIAL.test(plain(name));

  return (record) => {
    const path = new Set<object>();
    let values = 0;

    function copyOf(value: unknown, depth: number): unknown {
      if (typeof value === 'string') return redactText(value);
      if (typeof value !== 'object' || value === null) return value;
      if (path.has(value)) return '[circular]';
      if (depth > MAX_DEPTH || ++values > MAX_VALUES) return '[left out]';
      if (ArrayBuffer.isView(value)) return '[binary]';
      path.add(value);
      try {
        if (value instanceof Error) return ofError(value, depth);
        if ('toJSON' in value && typeof value.toJSON === 'function') return copyOf(value.toJSON(), depth + 1);
        if (Array.isArray(value)) return value.map((item: unknown) => copyOf(item, depth + 1));
        return ofFields(value, depth);
      } finally {
        path.delete(value);
      }
    }

    function ofFields(value: object, depth: number): Record<string, unknown> {
      const copy: Record<string, unknown> = {};
      for (const [name, field] of Object.entries(value)) {
        const hidden = isSecret(name) && field !== null && field !== undefined && typeof field !== 'boolean';
        copy[name] = hidden ? CENSOR : copyOf(field, depth + 1);
      }
      return copy;
    }

    function ofError(error: Error, depth: number): Record<string, unknown> {
      const { code } = error as NodeJS.ErrnoException;
      const copy = ofFields(pino.stdSerializers.err(error), depth);
      return code === undefined ? copy : { ...copy, code };
    }

    return copyOf(record, 0) as Record<string, unknown>; // a record is neither text nor a list
  };
}

const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '');

export function redactText(text: string): string {
  return text
    .replace(URL_CREDENTIALS, `$1${CENSOR}@`)
    .replace(SCHEME_CREDENTIALS, `$1 ${CENSOR}`)
    .replace(FAILING_ROW, `$1${CENSOR}`);
}
