// Preloaded into a process under test (--import): writes the address of every module that it has loaded, one a line, to
// the file that LOADED_MODULES names, when it ends.
import { writeFileSync } from 'node:fs';
import { createRequire, register } from 'node:module';
import { MessageChannel } from 'node:worker_threads';

const { port1, port2 } = new MessageChannel();
const urls = new Set();
port1.on('message', (url) => urls.add(url));
port1.unref();
const hooks = `
let port;
export const initialize = (given) => { port = given; };
export const load = (url, context, next) => { port.postMessage(url); return next(url, context); };
`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`, { data: port2, transferList: [port2] });
const { cache } = createRequire(import.meta.url);
process.on('exit', () => writeFileSync(process.env['LOADED_MODULES'], [...urls, ...Object.keys(cache)].join('\n')));
