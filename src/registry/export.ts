/**
 * A bundle unpacked for people and other programs:
 *
 *   <name>-s<seed>-<id>.safetensors  the bundle, byte for byte: the one file that another machine needs
 *   README.md                        its model card
 *   config.yaml                      the configuration, to train again with
 *   dirty.patch                      how the code differed from its commit, where the bundle holds it
 *   manifest.json                    all that it says of itself
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { makeFolder } from '#src/config/make-folder.js';
import { fail } from '#src/errors.js';
import { decodeBundle, readBundleBytes, shortId, type Bundle } from './bundle.js';
import { writeFileAtomic } from './files.js';
import type { Registry } from './registry.js';

export interface ExportedBundle {
  readonly bundle: Bundle;
  readonly folder: string;
  /** Names of the files in it; the first is the bundle. */
  readonly files: readonly string[];
}

/** Throws USAGE where `folder` holds something already: nothing is overwritten. REGISTRY, BUNDLE_CORRUPT as `load`. */
export function exportBundle(registry: Registry, reference: string, folder: string): ExportedBundle {
  const source = registry.fileOf(reference);
  const bytes = readBundleBytes(source);
  const bundle = decodeBundle(bytes, source, registry.load(reference).sha256);
  if (existsSync(folder) && (!statSync(folder).isDirectory() || readdirSync(folder).length > 0))
    fail('USAGE', {
      where: 'folder',
      value: folder,
      message: 'is there already and not empty: name a new one, nothing is overwritten',
    });
  makeFolder(folder);
  const { model_card, ...manifest } = bundle.manifest;
  const { config_yaml, dirty_patch } = manifest.provenance;
  const contents: [string, Uint8Array | string][] = [
    [`${manifest.name}-s${manifest.run.seed}-${shortId(bundle.sha256)}.safetensors`, bytes],
    ['README.md', model_card],
    ['config.yaml', config_yaml],
    ...(dirty_patch === null ? [] : [['dirty.patch', dirty_patch] satisfies [string, string]]),
    ['manifest.json', `${JSON.stringify({ sha256: bundle.sha256, ...manifest }, null, 2)}\n`],
  ];
  for (const [name, text] of contents) writeFileAtomic(path.join(folder, name), text);
  return { bundle, folder, files: contents.map(([name]) => name) };
}
