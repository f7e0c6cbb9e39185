import type { DocumentedOperation, Json } from './openapi.ts';

/** What several operations have in common, by its name among the components. */
interface Shared {
  parameters: Record<string, Json>;
  responses: Record<string, Json>;
}

/** Replaces the parameters, and the answers without a body, that several operations repeat: by references, in place. */
export function shareRepeated(operations: readonly DocumentedOperation[]): Shared {
  const parameters = sharing(
    'parameters',
    operations.flatMap((operation) => operation.parameters ?? []),
    ({ name }) => pascalCase(String(name)),
  );
  const responses = sharing(
    'responses',
    operations.flatMap((operation) => Object.values(operation.responses)).filter((answer) => !('content' in answer)),
    ({ description, headers }) =>
      pascalCase(String(description)) + ('Idempotency-Replayed' in Object(headers) ? 'Repeatable' : ''),
  );
  for (const operation of operations) {
    if (operation.parameters) operation.parameters = operation.parameters.map(parameters.refer);
    for (const [status, answer] of Object.entries(operation.responses))
      operation.responses[status] = responses.refer(answer);
  }
  return { parameters: parameters.named, responses: responses.named };
}

/** Gives each of the nodes that occurs twice a name; of two with one name, the first. */
function sharing(kind: keyof Shared, nodes: readonly Json[], nameOf: (node: Json) => string) {
  const once = new Set<string>();
  const references = new Map<string, Json>();
  const named: Record<string, Json> = {};
  for (const node of nodes.filter((node) => !('$ref' in node))) {
    const text = JSON.stringify(node);
    const name = nameOf(node);
    if (once.has(text) && !references.has(text) && !(name in named)) {
      named[name] = node;
      references.set(text, { $ref: `#/components/${kind}/${name}` });
    }
    once.add(text);
  }
  return { named, refer: (node: Json): Json => references.get(JSON.stringify(node)) ?? node };
}

function pascalCase(words: string): string {
  return words.replace(/(?:^|\W)(\w)/g, (_, first: string) => first.toUpperCase());
}
