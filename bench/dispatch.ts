import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { exampleId } from '@rentapi/api/contract/ids';
import { closePorts, openPorts } from '@rentapi/api/ports';
import { procedure, router } from '@rentapi/api/procedure';
import { MemberId } from '@rentapi/api/slices/members/schemas';
import { createRestHandler } from '@rentapi/api/transports/rest';
import { buildRoutes, findNode } from '@rentapi/api/transports/rest-routes';
import { readEnv } from '@rentapi/platform/env';
import { createLogger } from '@rentapi/platform/logger';
import { printSamples, takeTurns, type Work, workRatio } from './in-process.ts';
import type { Verdict } from './report.ts';
import type { Stage } from './stage.ts';

interface Table {
  routes: number;
  /** How many of them are requested, in turn. */
  asked: number;
}
const FEW: Table = { routes: 10, asked: 10 };
const MANY: Table = { routes: 500, asked: 10 };
/** For information: then all the routes' own objects are in use, and compete for the processor's caches. */
const ALL: Table = { routes: 500, asked: 500 };
const nameOf = ({ routes, asked }: Table): string => `${routes} routes, ${asked} asked for`;

const ROUNDS = 9;
const AT_MOST = 1.1;
const IDS = { orgId: exampleId('org'), userId: exampleId('usr') };

/** What it costs to have many routes: the same requests with ten routes, and with 500. */
export async function run(stage: Stage): Promise<Verdict[]> {
  const found = [FEW, MANY, ALL].map(finding);
  const finds = await takeTurns(found, { timesPerTurn: 50_000, turns: 10, rounds: ROUNDS });
  printSamples('Finding a route', finds);

  const ports = portsWithoutIo(stage);
  const asked = [FEW, MANY, ALL].map((table) => answering(table, ports));
  const answers = await takeTurns(asked, { timesPerTurn: 500, turns: 20, rounds: ROUNDS });
  printSamples('A whole request through the REST handler, without socket or database', answers);
  await closePorts(ports);
  const unit = `× with ${FEW.routes} routes`;
  return [
    {
      promise: `Finding one of ${MANY.routes} routes, CPU`,
      measured: workRatio(finds, found[1]!, found[0]!),
      atMost: AT_MOST,
      unit,
    },
    {
      promise: `Request with ${MANY.routes} routes, CPU`,
      measured: workRatio(answers, asked[1]!, asked[0]!),
      atMost: AT_MOST,
      unit,
    },
  ];
}

/** Routes like ours: every resource has a few, with ids in their paths. */
function routerOf(count: number) {
  const routes = Array.from({ length: count }, (_, at) => {
    const declared = procedure({
      access: 'public',
      openapi: {
        method: 'GET',
        path: `/resources${Math.floor(at / 5)}/{orgId}/parts${at % 5}/{userId}`,
        tags: ['Health'],
        summary: 'Say what was asked',
        description: 'As it came.',
      },
      example: { input: IDS, output: IDS },
    });
    return [
      `get${at}`,
      declared
        .input(MemberId)
        .output(MemberId)
        .query(({ input }) => input),
    ] as const;
  });
  return router(Object.fromEntries(routes));
}

const pathsOf = (count: number): string[] =>
  Array.from(
    { length: count },
    (_, at) => `/api/v1/resources${Math.floor(at / 5)}/${IDS.orgId}/parts${at % 5}/${IDS.userId}`,
  );

function finding({ routes, asked }: Table): Work {
  const root = buildRoutes(routerOf(routes), []);
  const paths = pathsOf(asked);
  return {
    name: nameOf({ routes, asked }),
    run(times) {
      for (let at = 0; at < times; at++) {
        const segments = paths[at % asked]!.slice(1).split('/');
        if (findNode(root, segments)?.params.length !== 2) throw new Error(`${paths[at % asked]} was not found`);
      }
    },
  };
}

function answering({ routes, asked }: Table, ports: ReturnType<typeof openPorts>): Work {
  const handle = createRestHandler({
    router: routerOf(routes),
    rawRoutes: [],
    ports,
    clientAddress: () => '127.0.0.1',
  });
  const paths = pathsOf(asked);
  const socket = new Socket(); // never connected: what is written to the answer stays there
  return {
    name: nameOf({ routes, asked }),
    async run(times) {
      for (let at = 0; at < times; at++) {
        const req = new IncomingMessage(socket);
        req.method = 'GET';
        req.url = paths[at % asked]!;
        const res = new ServerResponse(req);
        await handle(req, res, () => {});
        if (res.statusCode !== 200) throw new Error(`${req.url} answered ${res.statusCode}`);
      }
    },
  };
}

/** Connections are opened at the first query, and here there is none. */
function portsWithoutIo({ secrets }: Stage) {
  return openPorts({
    env: readEnv({ NODE_ENV: 'test', RATE_LIMIT_PER_MINUTE: '1000000' }),
    log: createLogger({ level: 'silent' }),
    databaseUrl: 'postgres://127.0.0.1:1/none',
    secrets,
    mailer: { send: async () => {}, close: async () => {} },
    version: 'bench',
  });
}
