/** A runner in a process of its own, which a SIGKILL ends; its parent holds the market and asks it by messages. */
import { LocalLife, type LifeOptions } from './subject.js';

const options: LifeOptions = JSON.parse(process.argv[2]);
const life = new LocalLife(options);
void life.died.then((why) => {
  process.stderr.write(`${why}\n`);
  process.exit(1);
});

process.on('message', (message: { id: number; ask: 'boundary' | 'report' | 'end'; limitMs: number }) => {
  const { id, ask, limitMs } = message;
  const answer = ask === 'boundary' ? life.boundary(limitMs) : life.report();
  void answer.then(async (report) => {
    if (ask === 'end') await life.end();
    process.send?.({ id, report, story: life.story() }, () => {
      if (ask === 'end') process.exit(0);
    });
  });
});
