/** The model card: Markdown with YAML front matter, rendered from the manifest alone. */
import type { ManifestDraft } from './manifest.js';

export function modelCard(manifest: ManifestDraft): string {
  return `# ${manifest.name}\n`;
}
