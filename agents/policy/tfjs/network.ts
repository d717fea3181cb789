/** An actor-critic of tf.LayersModels behind one flat vector of parameters. */
import * as tf from '@tensorflow/tfjs';
import { OpenBellError } from '#src/errors.js';
import type { ParameterSlot, PolicySpec } from '../contract.js';
import { headSize } from '../layout.js';
import { checkModels, refuse, type ActorCriticModels } from './models.js';

interface Weight {
  readonly slot: ParameterSlot;
  readonly variable: tf.Variable;
  readonly trainable: boolean;
  /** Projects the weight after each step, such as tf.constraints.maxNorm. */
  readonly project: ((weight: tf.Tensor) => tf.Tensor) | null;
}

export class Network {
  /** The actor's weights with those that both share, log_std of a Box, then the critic's. */
  readonly layout: readonly ParameterSlot[];
  readonly parameterCount: number;
  /** (A) of a Box. */
  readonly logStd: { readonly slot: ParameterSlot; readonly variable: tf.Variable } | null;
  readonly #models: ActorCriticModels;
  readonly #weights: readonly Weight[];
  readonly #trainable: tf.Variable[];
  readonly #where: string;

  /**
   * Takes the models over. `slots`: names of the weights, in their order, instead of the layers' own. Throws
   * POLICY_MODULE naming `where` unless they fit `spec`, are finite, treat each row alone, and can be differentiated.
   */
  constructor(models: unknown, spec: PolicySpec, where: string, slots: readonly ParameterSlot[] | null) {
    this.#where = where;
    this.#models = checkModels(models, spec, where);
    const layerWeights =
      'actorCritic' in this.#models
        ? this.#models.actorCritic.weights.map((weight) => ({ prefix: '', weight }))
        : joined(this.#models.actor.weights, this.#models.critic.weights);
    const criticAt = layerWeights.findIndex(({ prefix }) => prefix === 'critic/');
    const logStdAt = criticAt < 0 ? layerWeights.length : criticAt;
    const names = new LayerNames();
    const weights: Weight[] = [];
    let offset = 0;
    const add = (name: string, shape: readonly number[], rest: Omit<Weight, 'slot'>): Weight => {
      const size = shape.reduce((product, n) => product * n, 1);
      const weight = { slot: slots?.[weights.length] ?? { name, shape, offset, size }, ...rest };
      weights.push(weight);
      offset += size;
      return weight;
    };
    const addLogStd = (): Weight | null => {
      if (spec.action.kind !== 'box') return null;
      const initial = tf.tensor1d(new Float32Array(spec.action.size).fill(spec.logStdInit));
      const variable = tf.variable(initial);
      initial.dispose();
      return add('log_std', variable.shape, { variable, trainable: true, project: null });
    };
    let logStd: Weight | null = null;
    for (const [index, { prefix, weight }] of layerWeights.entries()) {
      if (index === logStdAt) logStd = addLogStd();
      const variable = weight.read();
      if (!(variable instanceof tf.Variable) || variable.dtype !== 'float32')
        refuse(where, weight.originalName, `a weight must be a float32 variable, not ${variable.dtype}`);
      const { constraint } = weight;
      add(names.unique(`${prefix}${names.canonical(weight.originalName)}`), variable.shape, {
        variable,
        trainable: this.#isTrainable(variable),
        project: (constraint ?? null) === null ? null : (x) => constraint.apply(x),
      });
    }
    if (logStdAt === layerWeights.length) logStd = addLogStd();
    this.logStd = logStd;
    this.#weights = weights;
    this.#trainable = weights.filter(({ trainable }) => trainable).map(({ variable }) => variable);
    this.layout = weights.map(({ slot }) => slot);
    this.parameterCount = offset;
    this.#probe(spec);
  }

  /** x (B,O) -> head (B,A), values (B). Call it inside tf.tidy. */
  forward(x: tf.Tensor2D): { head: tf.Tensor2D; values: tf.Tensor1D } {
    if ('actorCritic' in this.#models) {
      const both = this.#models.actorCritic.apply(x, { training: false });
      if (!Array.isArray(both)) return refuse(this.#where, typeof both, 'actorCritic must put out two tensors');
      return { head: this.#concrete(both[0]), values: asColumn(this.#concrete(both[1])) };
    }
    return { head: this.head(x), values: this.values(x) };
  }

  /** x (B,O) -> (B,A) */
  head(x: tf.Tensor2D): tf.Tensor2D {
    if ('actorCritic' in this.#models) return this.forward(x).head;
    return this.#concrete(this.#models.actor.apply(x, { training: false }));
  }

  /** x (B,O) -> (B) */
  values(x: tf.Tensor2D): tf.Tensor1D {
    if ('actorCritic' in this.#models) return this.forward(x).values;
    return asColumn(this.#concrete(this.#models.critic.apply(x, { training: false })));
  }

  /** The sum of the layers' regularisers, such as kernelRegularizer: 'l2'; null: they have none. */
  regularization(): tf.Scalar | null {
    const models =
      'actorCritic' in this.#models ? [this.#models.actorCritic] : [this.#models.actor, this.#models.critic];
    const terms = models.flatMap((model) => model.calculateLosses());
    return terms.length === 0 ? null : terms.reduce((sum, term) => tf.add(sum, term));
  }

  /** Gradient of `loss` into `gradient` (parameterCount); 0 for frozen weights and those that it does not depend on. */
  differentiate(gradient: Float32Array, loss: () => tf.Scalar): void {
    tf.tidy(() => {
      const { grads } = tf.variableGrads(loss, this.#trainable);
      for (const { slot, variable } of this.#weights) {
        const derived: tf.Tensor | undefined = grads[variable.name];
        if (derived === undefined) gradient.fill(0, slot.offset, slot.offset + slot.size);
        else gradient.set(derived.dataSync(), slot.offset);
      }
    });
  }

  /** The weights into `parameters` (parameterCount). */
  read(parameters: Float32Array): void {
    for (const { slot, variable } of this.#weights) parameters.set(variable.dataSync(), slot.offset);
  }

  /** Sets the weights. Constrained ones are projected, and `parameters` with them. */
  write(parameters: Float32Array): void {
    tf.tidy(() => {
      for (const { slot, variable, project } of this.#weights) {
        const values = parameters.slice(slot.offset, slot.offset + slot.size);
        variable.assign(tf.tensor(values, [...slot.shape], 'float32'));
        if (project === null) continue;
        variable.assign(project(variable));
        parameters.set(variable.dataSync(), slot.offset);
      }
    });
  }

  /** Of the variables themselves: models count the uses of a shared layer otherwise than they give it back. */
  dispose(): void {
    for (const { variable } of this.#weights) variable.dispose();
  }

  #isTrainable(variable: tf.Variable): boolean {
    const models =
      'actorCritic' in this.#models ? [this.#models.actorCritic] : [this.#models.actor, this.#models.critic];
    return models.some((model) => model.trainableWeights.some((weight) => weight.read() === variable));
  }

  #concrete(output: tf.Tensor | tf.Tensor[] | tf.SymbolicTensor | tf.SymbolicTensor[]): tf.Tensor2D {
    if (!(output instanceof tf.Tensor) || output.rank !== 2)
      return refuse(this.#where, output instanceof tf.Tensor ? output.shape : typeof output, 'an output must be (B,n)');
    return output.as2D(output.shape[0], output.shape[1] ?? 0);
  }

  /** One evaluation and one gradient: what cannot train is refused before it does. */
  #probe(spec: PolicySpec): void {
    const where = this.#where;
    const attempt = <T>(what: string, work: () => T): T => {
      try {
        return work();
      } catch (cause) {
        if (cause instanceof OpenBellError) throw cause;
        const message = cause instanceof Error ? cause.message : String(cause);
        return refuse(where, undefined, `${what} fails on the backend ${tf.getBackend()}: ${firstLine(message)}`);
      }
    };
    for (const { slot, variable } of this.#weights) {
      const values = variable.dataSync();
      const index = values.findIndex((value) => !Number.isFinite(value));
      if (index >= 0) refuse(where, String(values[index]), `the initial ${slot.name}[${index}] is not finite`);
    }
    const O = spec.observationSize;
    const A = headSize(spec);
    // three rows of moderate size, each another
    const rows = Float32Array.from({ length: 3 * O }, (_, i) => ((i * 7 + 3) % 11) / 5 - 1);
    const evaluate = (n: number): Float32Array =>
      tf.tidy(() => {
        const { head, values } = this.forward(tf.tensor2d(rows.subarray(0, n * O), [n, O]));
        if (head.shape[0] !== n || head.shape[1] !== A || values.shape[0] !== n)
          refuse(where, [head.shape, values.shape], `${n} rows must give (${n},${A}) and (${n},1)`);
        return Float32Array.from([...head.dataSync().slice(0, A), values.dataSync()[0]]);
      });
    const alone = attempt('its evaluation', () => evaluate(1));
    const index = alone.findIndex((value) => !Number.isFinite(value));
    if (index >= 0)
      refuse(where, String(alone[index]), `${index < A ? `action output ${index}` : 'the value'} is not finite`);
    const together = attempt('its evaluation', () => evaluate(3));
    if (!alone.every((value, i) => Math.abs(value - together[i]) <= 1e-4 * Math.max(1, Math.abs(value))))
      refuse(where, [alone[0], together[0]], 'a row puts out other numbers among other rows: rows must not be mixed');
    attempt('its gradient', () =>
      this.differentiate(new Float32Array(this.parameterCount), () => {
        const { head, values } = this.forward(tf.tensor2d(rows, [3, O]));
        return tf.add(tf.sum(head), tf.sum(values)).asScalar();
      }),
    );
  }
}

const asColumn = (values: tf.Tensor2D): tf.Tensor1D => values.as1D();

const firstLine = (text: string): string => text.split('\n', 1)[0];

/** A layer that both networks use stands with the actor, once, as `shared/`. */
function joined<W extends { readonly id: number }>(
  actor: readonly W[],
  critic: readonly W[],
): { prefix: string; weight: W }[] {
  const inActor = new Set(actor.map(({ id }) => id));
  const inCritic = new Set(critic.map(({ id }) => id));
  return [
    ...actor.map((weight) => ({ prefix: inCritic.has(weight.id) ? 'shared/' : 'actor/', weight })),
    ...critic.filter(({ id }) => !inActor.has(id)).map((weight) => ({ prefix: 'critic/', weight })),
  ];
}

/**
 * tfjs numbers unnamed layers through the whole process (`dense_Dense7`): here they are numbered afresh in each
 * network, so that the names are the same in every process.
 */
class LayerNames {
  readonly #numbered = new Map<string, string>();
  readonly #counts = new Map<string, number>();
  readonly #used = new Set<string>();

  /** "dense_Dense7/kernel" -> "dense_Dense1/kernel" */
  canonical(name: string): string {
    return name
      .split('/')
      .map((part) => {
        const [, snake, className] = /^([a-z0-9_]+)_([A-Z]\w*?)\d+$/.exec(part) ?? [];
        if (snake === undefined || snake.replaceAll('_', '') !== className.toLowerCase().replaceAll('_', ''))
          return part;
        const known = this.#numbered.get(part);
        if (known !== undefined) return known;
        const count = (this.#counts.get(className) ?? 0) + 1;
        this.#counts.set(className, count);
        const numbered = `${snake}_${className}${count}`;
        this.#numbered.set(part, numbered);
        return numbered;
      })
      .join('/');
  }

  unique(name: string): string {
    let free = name;
    for (let n = 2; this.#used.has(free); n++) free = `${name}_${n}`;
    this.#used.add(free);
    return free;
  }
}
