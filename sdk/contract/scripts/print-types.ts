import { z } from 'zod';

type Side = 'input' | 'output';

interface Def {
  type: string;
  innerType?: z.ZodType;
  element?: z.ZodType;
  shape?: Record<string, z.ZodType>;
  catchall?: z.ZodType;
  options?: z.ZodType[];
  entries?: Record<string, string | number>;
  values?: unknown[];
  keyType?: z.ZodType;
  valueType?: z.ZodType;
  left?: z.ZodType;
  right?: z.ZodType;
  in?: z.ZodType;
  out?: z.ZodType;
  items?: z.ZodType[];
  getter?: () => z.ZodType;
}

const PLAIN: Record<string, string> = {
  string: 'string',
  number: 'number',
  int: 'number',
  boolean: 'boolean',
  null: 'null',
  undefined: 'undefined',
  void: 'void',
  unknown: 'unknown',
  any: 'unknown',
  never: 'never',
};

/**
 * Zod schemas as TypeScript source. A schema with an `id` becomes an exported declaration of that name, with its
 * descriptions as comments; where input and output differ, the input type is named `<id>Input`.
 * `given` are declarations by id that say more than their schemas.
 */
export function createPrinter(given: Readonly<Record<string, string>> = {}) {
  const declarations = new Map<string, string>();
  const underWay = new Set<string>();

  /** The type that a caller sends (`input`) or receives (`output`). */
  function print(schema: z.ZodType, side: Side): string {
    const id = z.globalRegistry.get(schema)?.['id'];
    return typeof id === 'string' ? declare(id, schema, side) : printBare(schema, side);
  }

  function declare(id: string, schema: z.ZodType, side: Side): string {
    if (given[id] !== undefined) {
      declarations.set(id, given[id]);
      return id;
    }
    const other: Side = side === 'input' ? 'output' : 'input';
    const name = side === 'output' || bodyOf(schema, 'output', id) === bodyOf(schema, 'input', id) ? id : `${id}Input`;
    const key = `${name} ${other}`;
    if (declarations.has(name) || underWay.has(key)) return name;
    underWay.add(key);
    const body = printBare(schema, side);
    underWay.delete(key);
    const text = isOneObject(body) ? `export interface ${name} ${body}` : `export type ${name} = ${body};`;
    declarations.set(name, comment(schema, '') + text);
    return name;
  }

  /** Compares the two sides of a schema without declaring what it refers to twice. */
  function bodyOf(schema: z.ZodType, side: Side, id: string): string {
    const key = `${id} compared`;
    if (underWay.has(key)) return '';
    underWay.add(key);
    const body = printBare(schema, side);
    underWay.delete(key);
    return body;
  }

  function printBare(schema: z.ZodType, side: Side): string {
    const def = schema._zod.def as unknown as Def;
    const inner = () => print(def.innerType!, side);
    const plain = PLAIN[def.type];
    if (plain) return plain;
    switch (def.type) {
      case 'object':
        return printObject(def, side);
      case 'optional':
        return union([inner(), 'undefined']);
      case 'nullable':
        return union([inner(), 'null']);
      case 'default':
      case 'prefault':
        return side === 'input' ? union([inner(), 'undefined']) : inner();
      case 'readonly':
      case 'catch':
        return inner();
      case 'array':
        return `${parenthesised(print(def.element!, side))}[]`;
      case 'tuple':
        return `[${def.items!.map((item) => print(item, side)).join(', ')}]`;
      case 'enum':
        return union(Object.values(def.entries!).map((value) => quoted(value)));
      case 'literal':
        return union(def.values!.map(quoted));
      case 'union':
        return union(def.options!.map((option) => print(option, side)));
      case 'intersection':
        return `${parenthesised(print(def.left!, side))} & ${parenthesised(print(def.right!, side))}`;
      case 'record':
        return `Record<${print(def.keyType!, side)}, ${print(def.valueType!, side)}>`;
      case 'lazy':
        return print(def.getter!(), side);
      case 'pipe':
        return print(side === 'input' ? def.in! : def.out!, side);
      default:
        throw new Error(
          `A ${def.type} schema has no type that can be published: describe what goes over the wire, and convert it in the service.`,
        );
    }
  }

  function printObject({ shape = {}, catchall }: Def, side: Side): string {
    const fields = Object.entries(shape).map(([name, field]) => {
      const optional = side === 'input' ? field._zod.optin !== undefined : field._zod.optout === 'optional';
      return `${comment(field, '  ')}  ${name}${optional ? '?' : ''}: ${indent(print(field, side))};`;
    });
    const rest = catchall && (catchall._zod.def as unknown as Def).type !== 'never';
    if (rest) fields.push(`  [name: string]: ${indent(print(catchall, side))};`);
    return fields.length === 0 ? 'Record<string, never>' : `{\n${fields.join('\n')}\n}`;
  }

  return { print, declarations: () => [...declarations].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text) };
}

const WIDTH = 120;
const LONG_UNION = /^( *)(.*?[:=]) \(?('[^']*'(?: \| '[^']*')+)\)?(\[\])?;$/;

/** A union that is too long for its line, as one member a line. */
export function wrapUnions(text: string): string {
  return text
    .split('\n')
    .map((line) => {
      const [, margin, head, members, array] = (line.length > WIDTH && LONG_UNION.exec(line)) || [];
      if (members === undefined) return line;
      const each = members.split(' | ').map((member) => `${margin}  | ${member}`);
      return array ? `${margin}${head} (\n${each.join('\n')}\n${margin})[];` : `${margin}${head}\n${each.join('\n')};`;
    })
    .join('\n');
}

export function indent(text: string): string {
  return text.replaceAll('\n', '\n  ');
}

function comment(schema: z.ZodType, margin: string): string {
  const description = descriptionOf(schema);
  return description ? `${margin}/** ${description.replaceAll('*/', '*\\/')} */\n` : '';
}

/** The description of a field, also inside optional and nullable. A named schema is described at its name. */
function descriptionOf(schema: z.ZodType): string | undefined {
  const { innerType } = schema._zod.def as unknown as Def;
  return (
    schema.description ?? (innerType && !z.globalRegistry.get(innerType)?.['id'] ? descriptionOf(innerType) : undefined)
  );
}

function union(parts: string[]): string {
  const each = [...new Set(parts.flatMap((part) => (part.includes('{') ? [part] : part.split(' | '))))];
  return each.map((part) => (part.includes(' & ') ? `(${part})` : part)).join(' | ');
}

function parenthesised(text: string): string {
  return text.includes(' | ') && !isOneObject(text) ? `(${text})` : text;
}

/** A single object, not a union that begins with one. */
function isOneObject(text: string): boolean {
  return text.startsWith('{') && !/^\} \| /m.test(text);
}

function quoted(value: unknown): string {
  return typeof value === 'string' ? `'${value.replaceAll("'", "\\'")}'` : String(value);
}
