export type FormValue = string | FormObject;
export interface FormObject {
  [key: string]: FormValue;
}

/** A form body with brackets: `line_items[0][price_data][currency]=eur`. */
export function parseForm(pairs: Iterable<[string, string]>): FormObject {
  const root: FormObject = {};
  for (const [name, value] of pairs) {
    const keys = name.replaceAll(']', '').split('[');
    let at = root;
    for (const key of keys.slice(0, -1)) {
      const next = Object.hasOwn(at, key) ? at[key] : undefined;
      const inner: FormObject = typeof next === 'object' ? next : {};
      at[key] = inner;
      at = inner;
    }
    at[keys.at(-1)!] = value;
  }
  return root;
}

/** The text at a path; undefined where there is none. */
export function textAt(form: FormObject, ...path: string[]): string | undefined {
  const value = path.reduce<FormValue | undefined>(
    (at, key) => (typeof at === 'object' && Object.hasOwn(at, key) ? at[key] : undefined),
    form,
  );
  return typeof value === 'string' ? value : undefined;
}

/** All the texts below a path, by name. */
export function textsAt(form: FormObject, ...path: string[]): Record<string, string> {
  const value = path.reduce<FormValue | undefined>(
    (at, key) => (typeof at === 'object' && Object.hasOwn(at, key) ? at[key] : undefined),
    form,
  );
  const entries = typeof value === 'object' ? Object.entries(value) : [];
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}
