export const USAGE = `Usage: rentapi <command>

  start                       serve clients and run jobs in one process (as npm start does)
  api                         serve clients only; needs DATABASE_URL, REDIS_URL and a worker
  worker [--queues=a,b]       run jobs only, of all queues or of these
  dev                         as start, restarted when a source changes
  migrate up|down|status      migrate the database, undo the last migration, list all
  migrate new <name>          add a migration file
  migrate check               compare the models with the database
  seed                        add demo data to an empty database
  create-admin <email>        create a SUPER_ADMIN; the password is read from standard input. An existing account
                              is promoted, and its password replaced
  openapi                     print the OpenAPI document
  asyncapi                    print the AsyncAPI document of sockets and webhooks
  audit verify                check every organization's audit log and name the first broken link
  billing verify              add up the credits and the money of all organizations
  billing simulate            live months of billing in a database of its own, and check every step
  secrets reseal              seal stored secrets under the current SECRET_KEY
  id <public id>              decode a public id
  help [command]              print this, or how one command is used
  version                     print the version
`;

/** How each command is used: `rentapi <command> --help`. */
export const HELP: Record<string, string> = {
  start: `Usage: rentapi start

Serves clients and runs jobs in one process. Migrates the database first. Without DATABASE_URL it runs an embedded
PostgreSQL in DATA_DIR, which is ./.rentapi. SIGTERM and Ctrl-C end requests and jobs under way, then the process.
Settings are environment variables; .env.example lists them all.
`,
  api: `Usage: rentapi api

Serves clients and leaves jobs to \`rentapi worker\`. Needs DATABASE_URL and REDIS_URL, and the same secrets as the
workers. Any number of such processes may run behind a balancer.
`,
  worker: `Usage: rentapi worker [--queues=webhooks,emails,analytics,subscriptions,maintenance]

Runs jobs and serves no clients: of all queues, or of those named. Each queue needs a worker somewhere. With
WORKER_PORT it answers /health and /metrics there. Needs DATABASE_URL and REDIS_URL.
`,
  dev: `Usage: rentapi dev

As \`rentapi start\`, restarted when a source changes; the embedded database stays up meanwhile. Needs a checkout.
`,
  migrate: `Usage: rentapi migrate up | down | status | new <name> | check

  up       brings the database up to date, each migration in a transaction of its own; start, api and worker do it too
  down     takes the newest migration back, with the data that only it has a place for; stop the servers first
  status   lists the migrations; the exit code is 1 where some are pending
  new      adds an empty migration file; check compares the models with the database. Both need a checkout
`,
  seed: `Usage: rentapi seed

Adds demo accounts and data to an empty database: organizations, keys, calls, a meter and a webhook. The passwords of
the accounts are published, so production refuses.
`,
  'create-admin': `Usage: rentapi create-admin <email> < password.txt

Creates a SUPER_ADMIN. The password is read from standard input, so that no other user of the machine sees it. An
existing account is promoted, and its password replaced.
`,
  openapi: `Usage: rentapi openapi > openapi.json

Prints the OpenAPI document. Needs neither settings nor a database.
`,
  asyncapi: `Usage: rentapi asyncapi > asyncapi.json

Prints the AsyncAPI document of sockets and webhooks. Needs neither settings nor a database.
`,
  secrets: `Usage: rentapi secrets reseal

Seals what is stored under an old SECRET_KEY, such as seeds of authenticator apps, under the current one. Then the old
one can leave SECRET_KEYS_OLD; a start without one that is still needed is refused. It may run while servers do.
`,
  audit: `Usage: rentapi audit verify

Checks that no entry of any organization's audit log was changed, removed or inserted. Names the first broken link of
each log, and then ends with 1. Keep what it prints: it proves later that the entries of today are still the same.
`,
  billing: `Usage: rentapi billing verify | simulate [--months 24] [--organizations 100] [--seed 1] [--chaos | --sandbox]

verify     adds up the credits and the money of all organizations: ledger, balances and grants; journal, payments and
           refunds. The exit code is 0 where everything agrees; else it is 1, and each line names what does not, of
           which organization
simulate   lives so many months with so many organizations, beside fakes of Stripe and PayPal and in a database of its
           own, which is removed at the end. With --chaos events are lost, repeated and reordered, cards are declined,
           payments disputed, and providers and workers are away. Every step is checked: the exit code is 1 where
           something does not hold, which is named with its seed and step. At most 60 months and 500 organizations.
           With --sandbox the same people pay in the test account of STRIPE_SECRET_KEY (sk_test_… or rk_test_…) with
           test cards: 3 months and 2 organizations unless they are given, at most 12 and 10, with 10 requests a
           second. Needs a checkout
`,
  id: `Usage: rentapi id <public id>

Prints the number in the database that a public id, such as usr_… or org_…, stands for.
`,
  help: USAGE,
  version: 'Usage: rentapi version\n\nPrints the version.\n',
};
