import { z } from 'zod';
import { isList, nameExamples, openSchema, simplify } from '../contract/json-schema.ts';
import type { Json } from './openapi.ts';

interface AsyncApiSchemas {
  /** Of what clients send: closed. */
  asked(schema: z.ZodType): Json;
  /** Of what they get: open, because a later version may add fields and values. */
  answered(schema: z.ZodType): Json;
  /** All that have a name, by name. */
  components(): Record<string, Json>;
}

/** Schemas as AsyncAPI takes them (JSON Schema, draft 7), where those that have an id are components. */
export function createAsyncApiSchemas(): AsyncApiSchemas {
  const components: Record<string, Json> = {};

  function convert(schema: z.ZodType, io: 'input' | 'output'): Json {
    const {
      $schema: _,
      definitions = {},
      ...converted
    } = z.toJSONSchema(z.object({ it: schema }), {
      io,
      target: 'draft-7',
      override: nameExamples,
    });
    const { properties, definitions: named } = withComponents({ properties: converted.properties, definitions }) as {
      properties: { it: Json };
      definitions: Record<string, Json>;
    };
    const made = [properties.it, ...Object.values(named)];
    for (const each of made) simplify(each);
    // A list of values is opened where it is used.
    if (io === 'output') for (const each of made.filter((each) => !isList(each))) openSchema(each, named);
    for (const [name, each] of Object.entries(named)) {
      const { id: _, ...component } = each;
      const known = components[name];
      if (known && JSON.stringify(known) !== JSON.stringify(component))
        throw new Error(`${name} is asked for and answered, so it can be neither open nor closed: make it two.`);
      components[name] = component;
    }
    return properties.it;
  }

  return {
    asked: (schema) => convert(schema, 'input'),
    answered: (schema) => convert(schema, 'output'),
    components: () => Object.fromEntries(Object.entries(components).sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

function withComponents(node: unknown): unknown {
  return JSON.parse(JSON.stringify(node).replaceAll('"#/definitions/', '"#/components/schemas/'));
}
