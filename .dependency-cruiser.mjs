/** The slices of accounts, organizations and permissions; the others are features. */
const CORE = '(users|organizations|members|roles|api-keys|security-events)';

/** The arrows of docs/architecture.md, all one way. Each message says how to fix a violation. */
const rule = (name, fix, from, to) => ({ name, severity: 'error', comment: fix, from, to });

export default {
  forbidden: [
    rule(
      'no-cycles',
      'Two files that need each other are one file, or the shared part is a third.',
      {},
      { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    ),
    rule(
      'no-unresolved',
      'Declare the package in the package.json of the importing package.',
      { pathNot: '^examples/' }, // they use the built SDK, which the runner builds
      { couldNotResolve: true },
    ),
    rule(
      'platform-knows-no-product',
      'packages/platform has no product nouns: pass what it needs as an argument.',
      { path: '^packages/platform' },
      { path: '^(apps|packages/(api|fake-payments|payments|testing)|sdk)/' },
    ),
    rule(
      'payments-know-no-product',
      'packages/payments moves money for any product: pass what it needs as an argument, and keep rows elsewhere.',
      { path: '^packages/payments' },
      { path: '^(apps|packages/api|sdk)/' },
    ),
    rule(
      'vendors-stay-in-payments',
      'Stripe and PayPal end at PaymentProvider: use the plain data that it answers.',
      { path: '^(apps|packages|bench)/', pathNot: '^packages/(payments|fake-payments)/' },
      { path: '/node_modules/(stripe|@paypal)/' },
    ),
    rule(
      'platform-alone-speaks-to-postgres',
      'Connections are made by packages/platform: use its database, session or notifications.',
      { path: '^(apps/[^/]+|packages/api)/src/', pathNot: '\\.test\\.ts$' },
      { path: '/node_modules/pg/' },
    ),
    rule(
      'testing-knows-no-product',
      'packages/testing serves every package: pass what is the product’s as an argument.',
      { path: '^packages/testing' },
      { path: '^(apps|packages/(api|payments)|sdk)/' },
    ),
    rule(
      'fake-payments-know-no-product',
      'packages/fake-payments behaves as Stripe and PayPal do: what it knows of them must not come from our code.',
      { path: '^packages/fake-payments' },
      { path: '^(apps|packages/(api|payments|testing)|sdk)/' },
    ),
    rule(
      'fake-payments-in-development-only',
      'Only the start of a developer’s server and the simulator load fake providers; a build has none.',
      {
        pathNot:
          '(\\.test\\.ts$|/test/|^bench/|^packages/fake-payments/|^apps/server/src/dev/(fake-providers\\.ts|simulator/))',
      },
      { path: '^packages/fake-payments/' },
    ),
    rule(
      'api-knows-no-app',
      'The contract is served by apps, never the other way round: move what is needed into packages/api.',
      { path: '^packages/api/src' },
      { path: '^(apps|sdk)/' },
    ),
    rule(
      'no-tests-in-product',
      'Product code must not import tests or their helpers.',
      { pathNot: '(\\.(test|proofs)\\.ts$|/test/|^bench/|^packages/testing/)' },
      { path: '(\\.(test|proofs)\\.ts$|/test/|^packages/testing/)' },
    ),
    rule(
      'sdk-is-alone',
      'The SDK is published: it knows docs/openapi.json and nothing else of this repository.',
      { path: '^sdk/[^/]+/src' },
      { path: '^(apps|packages)/' },
    ),
    rule(
      'examples-use-the-published-sdk',
      'An example shows what a customer can do: import @rentapi/sdk.',
      { path: '^examples/' },
      { path: '^(apps|packages)/' },
    ),
    rule(
      'router-is-one-call',
      'A router declares; what it does belongs to its service.',
      { path: '/slices/[^/]+/router\\.ts$' },
      { path: '(/model\\.ts|/events/record|/jobs/|/platform/)' },
    ),
    rule(
      'service-below-router',
      'A service must not know how it is called.',
      { path: '/slices/[^/]+/(service|model|events|schemas)' },
      { path: '(/router\\.ts$|/transports/rest|/transports/trpc)' },
    ),
    rule(
      'contract-is-words',
      'contract/ contains schemas and rules that all slices share; it imports no slice, only the table of all errors.',
      { path: '^packages/api/src/contract' },
      { path: '/slices/', pathNot: '/slices/errors\\.ts$', dependencyTypesNot: ['type-only'] },
    ),
    rule(
      'error-rows-are-leaves',
      'A slice’s errors are a table: everything may import them, so they import nothing.',
      { path: '/slices/.*errors\\.ts$' },
      { pathNot: '(/slices/[^/]+/errors|/contract/protocol-errors)\\.ts$', dependencyTypesNot: ['type-only'] },
    ),
    rule(
      'contract-below-all',
      'contract/ is below everything else of the package: move what needs more out of it.',
      { path: '^packages/api/src/contract/' },
      {
        path: '^packages/api/src/(context|wire/|pipeline/|procedure|transports/)',
        dependencyTypesNot: ['type-only'],
      },
    ),
    rule(
      'context-below-wire',
      'A context contains what others create: import its type only.',
      { path: '^packages/api/src/context\\.ts$' },
      { path: '^packages/api/src/(wire/|pipeline/|procedure|slices/|transports/)', dependencyTypesNot: ['type-only'] },
    ),
    rule(
      'wire-below-pipeline',
      'wire/ reads requests and manages connections, and does not authorize: pass the check as a function, as `createSockets` does.',
      { path: '^packages/api/src/wire/', pathNot: '\\.test\\.ts$' },
      { path: '^packages/api/src/(pipeline/|procedure|transports/)', dependencyTypesNot: ['type-only'] },
    ),
    rule(
      'pipeline-below-procedure',
      'The pipeline is used by procedures and transports: move what both need into wire/.',
      { path: '^packages/api/src/pipeline/', pathNot: '\\.test\\.ts$' },
      { path: '^packages/api/src/(procedure|transports/)' },
    ),
    rule(
      'procedure-below-slices',
      'procedure.ts declares for every slice alike: pass the difference as meta.',
      { path: '^packages/api/src/procedure\\.ts$' },
      { path: '^packages/api/src/(slices|transports)/', dependencyTypesNot: ['type-only'] },
    ),
    rule(
      'slices-below-transports',
      'A slice must not know how it is transported: put what both need into wire/.',
      { path: '/slices/' },
      { path: '/transports/' },
    ),
    rule(
      'transports-know-no-slice',
      'A transport serves every slice alike: declare the difference in the meta of the procedure or the raw route.',
      { path: '^packages/api/src/transports/', pathNot: '\\.test\\.ts$' },
      { path: '/slices/[^/]+/' },
    ),
    rule(
      'slices-above-the-rest',
      'A slice provides what is needed below it through `ports` (see `Authenticators`) or the `facts` of its models.',
      { path: '^packages/api/src/(pipeline|wire|events|data|mail|jobs)/', pathNot: '\\.test\\.ts$' },
      { path: '/slices/', dependencyTypesNot: ['type-only'] },
    ),
    rule(
      'core-knows-no-feature',
      'Core slices define accounts, organizations and permissions: move what both need into core, or compose it in slices/router.ts.',
      { path: `/slices/${CORE}/`, pathNot: '\\.test\\.ts$' },
      { path: '/slices/[^/]+/', pathNot: `/slices/${CORE}/` },
    ),
    rule(
      'routers-are-composed',
      'Only slices/router.ts imports routers: an example or schema that others need belongs to schemas.ts.',
      { path: '/slices/([^/]+)/', pathNot: '\\.test\\.ts$' },
      { path: '/slices/[^/]+/router\\.ts$', pathNot: '/slices/$1/' },
    ),
    rule(
      'features-meet-in-services',
      'Of another feature a slice uses its service, schemas and events: the rest is its own.',
      { path: '/slices/([^/]+)/', pathNot: '\\.test\\.ts$' },
      {
        path: '/slices/[^/]+/',
        pathNot: `/slices/($1|${CORE})/|/slices/[^/]+/(service/|(service|schemas|events)\\.ts$)`,
      },
    ),
    rule(
      'objection-stays-in-models',
      'Keep Objection inside model files, so that it could be replaced.',
      { path: '^packages/api', pathNot: '(base-model|tenant-model|/model)\\.ts$' },
      { path: 'node_modules/objection' },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(/dist/|/generated/|/coverage/)' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.mjs', '.js'],
    },
  },
};
