/** The control channel: HTTP on loopback, JSON in and out. docs/gateway.md lists the paths. */
import { fastify, type FastifyInstance } from 'fastify';
import * as z from 'zod';
import { fail, OpenBellError } from '#src/errors.js';
import type { GatewayControl } from './control.js';
import { HOST } from './gateway-server.js';

const LONGEST_POLL_MS = 30_000;

const runnerBody = z.strictObject({ runner: z.string().min(1).max(100) });
const acknowledgeBody = z.strictObject({
  runner: z.string().min(1).max(100),
  number: z.int().min(1),
  /** Waits for the next boundary and answers with it: one round trip a bar. */
  wait_ms: z.number().min(0).max(LONGEST_POLL_MS).default(0),
});
const nextQuery = z.strictObject({
  after: z.coerce.number().int().min(0).default(0),
  wait_ms: z.coerce.number().min(0).max(LONGEST_POLL_MS).default(LONGEST_POLL_MS),
});
const stepBody = z.strictObject({ boundaries: z.int().min(1).max(1_000_000).default(1) });
const speedBody = z.strictObject({ speed: z.union([z.literal('max'), z.number().positive().max(1e6)]) });

export interface ControlServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Throws GATEWAY_OPTIONS where the port cannot be had. */
export async function serveControl(control: GatewayControl, port: number): Promise<ControlServer> {
  const app = fastify({ forceCloseConnections: true, bodyLimit: 0x10000 });
  guard(app);
  app.setErrorHandler((error, _request, reply) => {
    const usage = error instanceof OpenBellError;
    const status = usage ? 400 : error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
    return reply
      .status(status)
      .send({ error: usage ? error.code : 'ERROR', message: error instanceof Error ? error.message : String(error) });
  });

  app.get('/status', () => control.status());
  app.get('/truth', () => control.truth());
  app.get('/faults', () => control.faults());
  app.post('/faults', (request) => {
    control.inject(request.body);
    return { ok: true };
  });
  app.post('/pause', () => {
    control.pause();
    return control.status();
  });
  app.post('/resume', () => {
    control.resume();
    return control.status();
  });
  app.post('/step', (request) => {
    control.step(parse(stepBody, request.body ?? {}, '/step').boundaries);
    return control.status();
  });
  app.post('/speed', (request) => {
    control.setSpeed(parse(speedBody, request.body, '/speed').speed);
    return control.status();
  });

  app.post('/lockstep/runners', (request) => {
    control.lockstep.register(parse(runnerBody, request.body, '/lockstep/runners').runner);
    return control.status().lockstep;
  });
  app.delete('/lockstep/runners/:runner', (request) => {
    const { runner } = z.object({ runner: z.string() }).parse(request.params);
    control.lockstep.leave(runner);
    return control.status().lockstep;
  });
  app.get('/lockstep/next', (request) => {
    const { after, wait_ms: waitMs } = parse(nextQuery, request.query, '/lockstep/next');
    return nextBoundary(control, after, waitMs);
  });
  app.post('/lockstep/ack', (request) => {
    const { runner, number, wait_ms: waitMs } = parse(acknowledgeBody, request.body, '/lockstep/ack');
    control.lockstep.acknowledge(runner, number);
    return waitMs === 0 ? { ok: true } : nextBoundary(control, number, waitMs);
  });

  try {
    await app.listen({ host: HOST, port });
  } catch (cause) {
    await app.close();
    fail('GATEWAY_OPTIONS', {
      where: `control port ${port}`,
      message: `the system refuses to listen there (${cause instanceof Error ? cause.message : String(cause)}); choose another, or 0 for a free one`,
      cause,
    });
  }
  const address = app.server.address();
  const listening = typeof address === 'object' && address !== null ? address.port : port;
  return { url: `http://${HOST}:${listening}`, close: () => app.close() };
}

async function nextBoundary(control: GatewayControl, after: number, waitMs: number): Promise<object> {
  const next = await control.lockstep.next(after, waitMs);
  return next === null
    ? { number: null, over: control.lockstep.over }
    : { number: next.number, time_ms: next.boundary.timeMs, kind: next.boundary.kind, over: next.over };
}

/** A web page that someone visits must not steer the gateway: our own host name, and JSON, which needs its leave. */
function guard(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    const host = (request.headers.host ?? '').replace(/:\d+$/, '');
    if (host !== HOST && host !== 'localhost')
      return reply.status(403).send({ error: 'FORBIDDEN', message: `this is ${HOST}, not ${host}` });
    if (request.headers.origin !== undefined)
      return reply.status(403).send({ error: 'FORBIDDEN', message: 'web pages have no business here' });
    return undefined;
  });
}

function parse<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  return fail('GATEWAY_OPTIONS', {
    where: `${where} ${issue.path.map(String).join('.')}`.trim(),
    value,
    message: issue.message,
  });
}
