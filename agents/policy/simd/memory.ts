/**
 * The engine's memory, planned by hand: the kernels' tables at the bottom, then one region after the other, each
 * at a multiple of a cache line. Only the rollout's region grows, and it stands last.
 *
 * A half (actor or critic) touches only its own parameters, gradient, moments, activations and sums, and reads the
 * rollout. On two threads with one shared memory the actor's half and the critic's can therefore run side by side;
 * they meet once a minibatch, where the two sums of squares are added (actor + critic, in that order) for the common
 * norm. One thread adds them in the same order, so that the bits are the same. critic-thread.ts is where they meet.
 */
import type { PolicySpec } from '../contract.js';
import { actionColumns, headSize, type LinearLayer, type PolicyLayout } from '../layout.js';
import {
  ACTIVATION,
  createPolicyMemory,
  instantiatePolicyKernels,
  PANEL,
  roundUp,
  type PolicyKernels,
} from './kernels.js';

/**
 * Rows that pass through a half at a time. A larger minibatch is cut into pieces of it, whose activations stay in
 * the cache; weight gradients add up in the same ascending order, so that the size of a piece does not change a bit.
 */
export const CHUNK = 64;

/** Bytes from panel to panel of an activation. Two spare rows keep the panels from falling on the same cache sets. */
export const STRIDE = (CHUNK + 2) * PANEL * 4;

/** Float64 numbers of a command, and bytes kept for a failure's text. */
export const COMMAND_NUMBERS = 8;
export const FAILURE_BYTES = 1024;

const ALIGNMENT = 64;
/** Processors fetch cache lines in pairs: what two threads write stands two lines apart. */
const APART = 128;
const PAGE = 65_536;

/** A layer's places. Parameters, gradients and both moments share offsets: `parameters.at + weight` and so on. */
export interface LayerPlan {
  readonly layer: LinearLayer;
  readonly inputs: number;
  readonly outputs: number;
  /** Bytes from the start of the parameters (gradients, moments). */
  readonly weight: number;
  readonly bias: number;
  /** Transposed weights; 0 for the first layer, whose input needs no gradient. */
  readonly transposed: number;
  readonly input: number;
  readonly output: number;
  readonly outputGradient: number;
}

export interface HalfPlan {
  readonly layers: readonly LayerPlan[];
  /** Bytes from the start of the parameters, and floats, padding included. */
  readonly offset: number;
  readonly floats: number;
  /** Float64: policy, entropy, KL, clipped rows, squared value error, sum of squares of the gradient. */
  readonly sums: number;
}

export interface StagePlan {
  readonly observations: number;
  readonly masks: number;
  readonly noise: number;
  readonly actions: number;
  readonly logProbs: number;
  readonly values: number;
  readonly probabilities: number;
  /** Each row's exponents, exponentials and their sum. */
  readonly softmax: number;
  /** Two float64. */
  readonly moments: number;
  /** K float64 each, Box only. */
  readonly deviations: number;
  readonly logStdGradient: number;
}

/** Where the two threads meet: see critic-thread.ts. */
export interface MailboxPlan {
  /** Int32: commands given, begun and done. Far apart: a thread that looks at one does not slow who writes another. */
  readonly given: number;
  readonly begun: number;
  /** Int32: how many commands the thread has carried out itself, rather than the engine. */
  readonly carriedOut: number;
  readonly done: number;
  /** Two commands of `COMMAND_NUMBERS` float64 each. */
  readonly commands: number;
  /** Why the thread ended: an int32 length, then UTF-8. */
  readonly failure: number;
}

export interface BatchPlan {
  readonly capacity: number;
  readonly observations: number;
  readonly actions: number;
  readonly masks: number;
  readonly logProbs: number;
  readonly values: number;
  readonly advantages: number;
  readonly returns: number;
  readonly indices: number;
}

export class PolicyMemory {
  readonly kernels: PolicyKernels;
  readonly layout: PolicyLayout;
  readonly discrete: boolean;
  /** The kernels' number of the activation. */
  readonly activation: number;
  /** O, A (columns of the action head) and K (columns of an action). */
  readonly O: number;
  readonly A: number;
  readonly K: number;
  /** Rows of the rollout that stands in `batch`, and whether it has masks. */
  rows = 0;
  masked = false;
  readonly parameters: number;
  readonly gradients: number;
  readonly firstMoments: number;
  readonly secondMoments: number;
  readonly actor: HalfPlan;
  readonly critic: HalfPlan;
  /** Bytes from the start of the parameters; -1 for discrete actions. */
  readonly logStd: number;
  readonly stage: StagePlan;
  readonly mailbox: MailboxPlan;
  batch: BatchPlan;
  f32: Float32Array = new Float32Array(0);
  f64: Float64Array = new Float64Array(0);
  i32: Int32Array = new Int32Array(0);
  u8: Uint8Array = new Uint8Array(0);
  /** What the thread of the critic works in too. */
  readonly shared: WebAssembly.Memory;
  readonly #batchStart: number;
  #top: number;

  /** `shared`: the memory of another thread's engine of the same spec, whose plan this one repeats. */
  constructor(spec: PolicySpec, layout: PolicyLayout, shared: WebAssembly.Memory = createPolicyMemory(1)) {
    this.layout = layout;
    this.discrete = spec.action.kind === 'discrete';
    this.activation = ACTIVATION[spec.activation];
    this.O = spec.observationSize;
    this.A = headSize(spec);
    this.K = actionColumns(spec);
    this.shared = shared;
    this.kernels = instantiatePolicyKernels(shared);
    this.#top = this.kernels.firstFreeByte();

    // Offsets of the parameters: actor, then critic.
    let bytes = 0;
    const tensor = (floats: number): number => {
      const at = bytes;
      bytes += floats * 4;
      return at;
    };
    const place = (
      layers: readonly LinearLayer[],
    ): Pick<LayerPlan, 'layer' | 'inputs' | 'outputs' | 'weight' | 'bias'>[] =>
      layers.map((layer) => ({
        layer,
        inputs: layer.inputs,
        outputs: layer.outputs,
        weight: tensor(roundUp(layer.inputs, PANEL) * roundUp(layer.outputs, PANEL)),
        bias: tensor(roundUp(layer.outputs, PANEL)),
      }));
    const actorLayers = place(layout.actor);
    this.logStd = layout.logStd === null ? -1 : tensor(roundUp(layout.logStd.size, PANEL));
    bytes = roundUp(bytes, ALIGNMENT);
    const criticOffset = bytes;
    const criticLayers = place(layout.critic);
    const total = roundUp(bytes, ALIGNMENT);

    this.parameters = this.#allocate(total);
    this.gradients = this.#allocate(total);
    this.firstMoments = this.#allocate(total);
    this.secondMoments = this.#allocate(total);
    const half = (placed: typeof actorLayers, offset: number, end: number): HalfPlan => {
      const activation = (columns: number): number => this.#allocate((roundUp(columns, PANEL) / PANEL) * STRIDE);
      const widest = Math.max(...placed.map((layer) => layer.outputs));
      // The gradient of one layer's output is read while that of the layer below is written.
      const gradients = [activation(widest), activation(widest)];
      let input = activation(spec.observationSize);
      const layers = placed.map((layer, i): LayerPlan => {
        const output = activation(layer.outputs);
        const transposed =
          i === 0 ? 0 : this.#allocate(roundUp(layer.inputs, PANEL) * roundUp(layer.outputs, PANEL) * 4);
        const plan = { ...layer, input, output, transposed, outputGradient: gradients[i % 2] };
        input = output;
        return plan;
      });
      return { layers, offset, floats: (end - offset) / 4, sums: this.#allocate(6 * 8) };
    };
    this.actor = half(actorLayers, 0, criticOffset);
    this.#allocate(APART);
    this.critic = half(criticLayers, criticOffset, total);
    this.#allocate(APART);

    const { O, A, K } = this;
    this.stage = {
      observations: this.#allocate(CHUNK * O * 4 + 32),
      masks: this.#allocate(CHUNK * A),
      noise: this.#allocate(CHUNK * K * 8),
      actions: this.#allocate(CHUNK * K * 4),
      logProbs: this.#allocate(CHUNK * 4),
      values: this.#allocate(CHUNK * 4),
      probabilities: this.#allocate(CHUNK * A * 4),
      softmax: this.#allocate(CHUNK * (2 * roundUp(A, PANEL) * 4 + 16)),
      moments: this.#allocate(16),
      deviations: this.#allocate(K * 8),
      logStdGradient: this.#allocate(K * 8),
    };
    this.mailbox = {
      given: this.#allocate(APART),
      begun: this.#allocate(APART),
      carriedOut: this.#allocate(APART),
      done: this.#allocate(APART),
      commands: this.#allocate(2 * COMMAND_NUMBERS * 8 + APART),
      failure: this.#allocate(4 + FAILURE_BYTES),
    };
    this.#batchStart = this.#top;
    this.batch = this.reserveBatch(1);
  }

  /** Makes room for a rollout of `rows`; what stood there before is lost where it has to grow. */
  reserveBatch(rows: number): BatchPlan {
    if (this.batch !== undefined && rows <= this.batch.capacity) return this.batch;
    this.#top = this.#batchStart;
    const { O, A, K } = this;
    this.batch = {
      capacity: rows,
      observations: this.#allocate(rows * O * 4 + 32),
      actions: this.#allocate(rows * K * 4),
      masks: this.#allocate(rows * A),
      logProbs: this.#allocate(rows * 4),
      values: this.#allocate(rows * 4),
      advantages: this.#allocate(rows * 4),
      returns: this.#allocate(rows * 4),
      indices: this.#allocate(rows * 4),
    };
    return this.batch;
  }

  #allocate(bytes: number): number {
    const at = roundUp(this.#top, ALIGNMENT);
    this.#top = at + bytes;
    const have = this.shared.buffer.byteLength;
    if (this.#top > have) this.shared.grow(Math.ceil((this.#top - have) / PAGE));
    if (this.f32.buffer !== this.shared.buffer) {
      this.f32 = new Float32Array(this.shared.buffer);
      this.f64 = new Float64Array(this.shared.buffer);
      this.i32 = new Int32Array(this.shared.buffer);
      this.u8 = new Uint8Array(this.shared.buffer);
    }
    return at;
  }
}
