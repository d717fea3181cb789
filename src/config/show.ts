/** A resolved configuration as text: YAML that can be trained from again, and a hash that names it. */
import { createHash } from 'node:crypto';
import { Document, isMap, isNode, isScalar, isSeq, type Node } from 'yaml';
import type { LoadedExperiment } from './load.js';
import type { ExperimentConfig } from './schema.js';
import { placeKey } from './yaml-source.js';

/** YAML of the whole configuration, defaults included. With `origins` each value says where it came from. */
export function configYaml(
  loaded: Pick<LoadedExperiment, 'config' | 'origins'>,
  options: { origins?: boolean } = {},
): string {
  const document = new Document(loaded.config);
  const visit = (node: Node | null, keys: readonly string[]): void => {
    if (isMap(node) && node.items.length > 0) {
      for (const pair of node.items) {
        const key = isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
        visit(isNode(pair.value) ? pair.value : null, [...keys, key]);
      }
    } else if (node !== null && options.origins === true) {
      node.comment = ` ${originOf(loaded, keys)}`;
    }
    // short lists read better on one line
    if (isSeq(node)) node.flow = true;
  };
  visit(document.contents, []);
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

function originOf({ origins }: Pick<LoadedExperiment, 'origins'>, keys: readonly string[]): string {
  for (let length = keys.length; length > 0; length--) {
    const found = origins.get(placeKey(keys.slice(0, length)));
    if (found !== undefined) return found;
  }
  return 'default';
}

/**
 * sha256 of all that decides what a run learns, except its seed: runs of one configuration share it. Name and
 * description do not count, nor does what changes no bit, the number of threads and whether TensorBoard's file is
 * written; keys are sorted, so that their order in a file does not count either. A policy's file counts by its sha256,
 * which training fills in.
 */
export function configHash({ env, data, observation, agent, training }: ExperimentConfig): string {
  // an undefined member is left out of JSON
  const tfjs_backend = training.engine === 'tfjs' ? training.tfjs_backend : undefined;
  // where a bundle lies decides nothing: its sha256 does
  const fine_tune = training.fine_tune === null ? undefined : { ...training.fine_tune, bundle: undefined };
  const decisive = { ...training, threads: undefined, tensorboard: undefined, tfjs_backend, fine_tune };
  // where a policy's file lies decides nothing: its contents do
  const policy = agent.policy === null ? undefined : { ...agent.policy, module: undefined };
  // nothing left out decides nothing
  const bars = data === null || data.exclude.length > 0 ? data : { ...data, exclude: undefined };
  return createHash('sha256')
    .update(canonicalJson({ env, data: bars, observation, agent: { ...agent, policy }, training: decisive }))
    .digest('hex');
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
