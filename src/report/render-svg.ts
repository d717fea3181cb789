/** From a vega-lite specification to a static SVG, here and now: the page needs no script and no network. */
import type { TopLevelSpec } from 'vega-lite';

/**
 * Renders specifications one after another, since vega numbers the definitions inside an SVG by a global counter:
 * numbered from zero for each call, one page's pictures never share a name and the same data give the same bytes.
 * Loading vega takes most of a second, so it is loaded only here.
 */
export async function renderSvgs(specs: readonly TopLevelSpec[]): Promise<string[]> {
  const [{ compile }, vega] = await Promise.all([import('vega-lite'), import('vega')]);
  vega.resetSVGDefIds();
  const svgs: string[] = [];
  for (const spec of specs) {
    const view = new vega.View(vega.parse(compile(spec).spec), { renderer: 'none', logLevel: vega.Error });
    svgs.push(scalable(await view.toSVG()));
    view.finalize();
  }
  return svgs;
}

/** The drawing keeps its shape and takes the width that there is; the figure around it carries its name. */
function scalable(svg: string): string {
  return svg.replace(
    /^<svg ([^>]*?)width="([\d.]+)" height="([\d.]+)"/,
    '<svg $1style="max-width:$2px" aria-hidden="true"',
  );
}
